// `npm run demo:ward`: installs what is missing, then shows that an alarm reaches its person whatever else fails.
import { ensureInstalled } from './install.mjs'
import { stopWhenOrphaned } from './orphan.mjs'

stopWhenOrphaned()
await ensureInstalled()
const { runFromSource } = await import('./source.mjs')
await runFromSource('apps/patient-monitoring/test/demo/main.ts', process.argv.slice(2))
