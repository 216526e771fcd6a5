// `eventspine worker`: delivers in this very process, for those who have a supervisor of their own (systemd, a
// container platform). Logs JSON lines to standard error.
import { once } from 'node:events'
import type { Command } from 'commander'
import { type Call, type Commands } from '../command.js'
import type { Screen } from '../screen/screen.js'
import { dim, green } from '../screen/text.js'
import { recordOf } from '../supervise/messages.js'
import { Report } from '../supervise/report.js'

/** Adds the command. */
export function addWorker(program: Command, commands: Commands): void {
  program
    .command('worker')
    .description('run one worker process, without HTTP and without a supervisor')
    .option('--no-migrate', 'leave the tables as they are')
    .action(commands.task(work))
}

async function work(
  screen: Screen,
  { flags, interruption }: Call<{ readonly migrate?: boolean }>,
): Promise<undefined> {
  const signal = interruption.claim()
  const { Serving } = await import('../supervise/serving.js')
  const report = new Report(screen, screen.json || !screen.isTerminal)
  const serving = new Serving({
    ...flags,
    api: false,
    work: true,
    migrate: flags.migrate !== false,
    development: false,
    embeddedUse: 'create',
  })
  try {
    const ready = await serving.start()
    const subscriptions = ready.subscriptions.join(', ')
    report.say('ready', recordOf(ready), [
      green('✓'),
      ` Delivering to ${subscriptions}. `,
      dim('Ctrl-C drains and stops.'),
    ])
    if (!signal.aborted) await once(signal, 'abort')
    report.say(
      'stopping',
      {},
      dim('Stopping: what is under way is finished first. Ctrl-C again does not wait.'),
    )
  } finally {
    await serving.stop()
  }
  report.say('stopped', {}, [green('✓'), ' Stopped.'])
  return undefined
}
