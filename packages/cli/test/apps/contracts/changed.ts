import { app, changed } from './app.js'

export default app('shop', changed)
