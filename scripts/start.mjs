// `npm start`: installs what is missing, then runs the order pipeline, and the ward beside it once its story is told: in a process of its
// own, on the same database, to be seen in the same console.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ensureInstalled, root } from './install.mjs'
import { stopWhenOrphaned } from './orphan.mjs'

stopWhenOrphaned()
await ensureInstalled()
const { runFromSource } = await import('./source.mjs')
const { serving } = await runFromSource('apps/order-pipeline/src/main.ts', process.argv.slice(2))
if (await serving) startWard()

function startWard() {
  const ward = join(root, 'apps/patient-monitoring/src/main.ts')
  const child = spawn(process.execPath, [...process.execArgv, ward, '--beside'], {
    // The channel tells it that this process is gone, however that came about.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  child.unref()
  child.channel?.unref()
  // A terminal gives Ctrl-C to both; whoever signals this process means both, too.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
}
