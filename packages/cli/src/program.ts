// All commands of `eventspine`, with the words of its --help.
import { Command } from 'commander'
import { addCommonFlags, type Commands } from './command.js'
import { addAudit } from './commands/audit.js'
import { addBreakers } from './commands/breakers.js'
import { addContracts } from './commands/contracts.js'
import { addDead } from './commands/dead.js'
import { addDev } from './commands/dev.js'
import { addDoctor } from './commands/doctor.js'
import { addEvents } from './commands/events.js'
import { addImport } from './commands/import.js'
import { addKeys } from './commands/keys.js'
import { addMigrate } from './commands/migrate.js'
import { addPersonal } from './commands/personal.js'
import { addPublish } from './commands/publish.js'
import { addRedrive } from './commands/redrive.js'
import { addReplay } from './commands/replay.js'
import { addSchedules } from './commands/schedules.js'
import { addServe } from './commands/serve.js'
import { addSources } from './commands/sources.js'
import { addStart } from './commands/start.js'
import { addSubscriptions } from './commands/subscriptions.js'
import { addWebhooks } from './commands/webhooks.js'
import { addWorker } from './commands/worker.js'
import { addWorkers } from './commands/workers.js'
import { addWorkflows } from './commands/workflows.js'

type Add = (program: Command, commands: Commands) => void

const groups: readonly (readonly [string, readonly Add[]])[] = [
  ['Run:', [addDev, addStart, addWorker, addMigrate, addKeys, addServe]],
  ['Events:', [addPublish, addImport, addSources, addEvents, addContracts]],
  [
    'Operate:',
    [addSubscriptions, addWorkflows, addSchedules, addDead, addRedrive, addReplay, addBreakers, addWebhooks],
  ],
  ['Look:', [addDoctor, addWorkers, addAudit, addPersonal]],
]

const epilogue = `
Exit codes:
  0  done
  1  the operation failed: a redrive or replay with failures, doctor or contracts check found an error
  2  wrong usage or input: an unknown flag, broken JSON, an event that does not fit
  3  not found: no such event, subscription, dead letter, redrive, breaker, workflow
  4  the database cannot be reached
  130  interrupted

Database: --database-url, else DATABASE_URL, else the embedded one in .eventspine of the project.
With --json every answer is one JSON document on standard output (events tail: one a line), and an error is one on
standard error: {"code", "message", "field"?, "issues"?}.
Examples:
  eventspine dev
  eventspine publish orders.order-placed --data '{"order":"1"}'
  eventspine dead list --since 2h
  eventspine redrive --subscription charge --category transient --preview
`

export interface ProgramOutput {
  /** Help, on standard output. */
  readonly write: (text: string) => void
  /** Help for want of a command, on standard error. */
  readonly writeError: (text: string) => void
  readonly columns: number | undefined
  readonly hasColors: boolean
}

/** The program; parsing its arguments runs a command. Throws CommanderError instead of ending the process. */
export function createProgram(commands: Commands, version: string, output: ProgramOutput): Command {
  const program = new Command('eventspine')
    .description('The event table at the centre of a TypeScript system.')
    .version(version, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: output.write,
      // Told once, by whoever catches the error.
      outputError: () => {},
      writeErr: output.writeError,
      getOutHasColors: () => output.hasColors,
      getOutHelpWidth: () => Math.min(output.columns ?? 100, 120),
    })
    .addHelpText('after', epilogue)
  for (const [title, adds] of groups) {
    program.commandsGroup(title)
    for (const add of adds) add(program, commands)
  }
  addCommonFlagsBelow(program)
  return program
}

// Last, so that --help shows a command's own flags first.
function addCommonFlagsBelow(command: Command): void {
  addCommonFlags(command)
  for (const each of command.commands) addCommonFlagsBelow(each)
}
