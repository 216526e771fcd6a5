// What all commands share: their common flags, and how one becomes an action that runs in a session and ends with an
// exit code.
import { type Command, Option } from 'commander'
import { CommandError, type ExitCode, exitCodes } from './failure.js'
import type { Interruption } from './interruption.js'
import type { Session, SessionNeeds } from './project/session.js'
import type { Settings } from './project/settings.js'
import type { Screen } from './screen/screen.js'
import { dim, type Text } from './screen/text.js'

/** What a command was called with. */
export interface Call<Flags> {
  readonly flags: Flags & Settings
  readonly operands: readonly string[]
  readonly interruption: Interruption
}

type Answer = Promise<ExitCode | undefined>

/** One call to the public API, and printing. Answers an exit code other than 0. */
export type Operation<Flags> = (session: Session, call: Call<Flags>) => Answer

/** A command that needs no session of its own. */
export type Task<Flags> = (screen: Screen, call: Call<Flags>) => Answer

/** What commander calls: operands, flags, and the command last. */
export type Action = (...values: unknown[]) => Promise<void>

/** Makes actions of what commands do, and keeps the exit code. */
export class Commands {
  readonly #screen: Screen
  readonly #interruption: Interruption
  exitCode: ExitCode = exitCodes.ok

  constructor(screen: Screen, interruption: Interruption) {
    this.#screen = screen
    this.#interruption = interruption
  }

  operation<Flags>(work: Operation<Flags>, needs: SessionNeeds = {}): Action {
    return this.task<Flags>(async (screen, call) => {
      // Imported here: what supervises other processes starts faster without the library.
      const { inSession } = await import('./project/session.js')
      return inSession(call.flags, screen, needs, (session) => work(session, call))
    })
  }

  task<Flags>(work: Task<Flags>): Action {
    return async (...values) => {
      const command = values.at(-1) as Command
      const flags = command.optsWithGlobals<Flags & Settings>()
      const call = { flags, operands: command.args, interruption: this.#interruption }
      this.exitCode = (await work(this.#screen, call)) ?? exitCodes.ok
    }
  }
}

/** Adds the flags that every command takes. */
export function addCommonFlags(command: Command): Command {
  const flags = [
    new Option('--json', 'answer in JSON'),
    new Option(
      '--database-url <url>',
      'PostgreSQL server. Default: DATABASE_URL, else the embedded database',
    ),
    new Option('--schema <name>', 'schema that holds the tables. Default: eventspine'),
    new Option('--app <file>', 'module that exports the app. Default: "eventspine.app" in package.json'),
    new Option('--cell <name>', 'cell to work on, where the app has several'),
    new Option('--actor <name>', 'who acts, for the audit. Default: you'),
  ]
  for (const flag of flags) command.addOption(flag.helpGroup('Every command:'))
  return command
}

export interface PageFlags {
  readonly limit?: number
  readonly cursor?: string
}

export interface ReasonFlags {
  readonly reason?: string
}

/** Of what changes something. */
export const withReason = (command: Command) => command.option('--reason <text>', 'why, for the audit')

export const reasonFrom = ({ reason }: ReasonFlags) => (reason === undefined ? {} : { reason })

/** What of a page is asked for. */
export const pageRequest = ({ limit, cursor }: PageFlags) => ({
  ...(limit !== undefined && { limit }),
  ...(cursor !== undefined && { cursor }),
})

/** How to see what follows a page. */
export function nextPage(cursor: string | null): Text[] {
  return cursor === null ? [] : ['', dim(`More: add --cursor ${cursor}`)]
}

/** The operand at this place; commander has checked that it is there. */
export function operand(operands: readonly string[], index = 0): string {
  const value = operands[index]
  if (value === undefined) throw new CommandError('commander.missingArgument', 'An argument is missing.')
  return value
}
