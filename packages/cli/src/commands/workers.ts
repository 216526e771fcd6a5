// `eventspine workers`: the processes that deliver now.
import type { Command } from 'commander'
import { type Commands } from '../command.js'
import { table } from '../screen/table.js'
import { ago, count } from '../screen/time.js'

/** Adds the command. */
export function addWorkers(program: Command, commands: Commands): void {
  const action = commands.operation(async ({ operator, screen }) => {
    const workers = await operator.workers()
    screen.answer({ workers }, () => {
      if (workers.length === 0)
        return ['No worker is running: events are stored, nothing is delivered. Start one: eventspine worker']
      const columns = [
        { title: 'WORKER' },
        { title: 'HOST', widthMin: 6, optional: true },
        { title: 'PROCESS', align: 'right' },
        { title: 'CONSUMERS', align: 'right' },
        { title: 'VERSION', widthMin: 5, optional: true },
        { title: 'STARTED' },
        { title: 'HEARTBEAT' },
      ] as const
      const rows = workers.map((worker) => [
        worker.id,
        worker.host,
        String(worker.processId),
        count(worker.consumers),
        worker.version,
        ago(worker.startedAtMs),
        ago(worker.heartbeatAtMs),
      ])
      return table(columns, rows, screen.width)
    })
    return undefined
  })
  program.command('workers').description('list the processes that deliver now').action(action)
}
