import { app, second } from './app.js'

export default app('shop', second)
