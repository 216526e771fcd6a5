import { app, placed } from './app.js'

export default app('payments', placed)
