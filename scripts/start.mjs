// `npm start`: installs what is missing, then runs the order pipeline.
import { ensureInstalled } from './install.mjs'
import { stopWhenOrphaned } from './orphan.mjs'

stopWhenOrphaned()
await ensureInstalled()
const { runFromSource } = await import('./source.mjs')
await runFromSource('apps/order-pipeline/src/main.ts', process.argv.slice(2))
