// `npm run ward`: installs what is missing, then runs the patient monitoring.
import { ensureInstalled } from './install.mjs'
import { stopWhenOrphaned } from './orphan.mjs'

stopWhenOrphaned()
await ensureInstalled()
const { runFromSource } = await import('./source.mjs')
await runFromSource('apps/patient-monitoring/src/main.ts', process.argv.slice(2))
