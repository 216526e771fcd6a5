// One run of the command, from arguments to exit code.
import { readFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import { Commands } from './command.js'
import { CommandError, type ExitCode, exitCodes, failureOf, tell } from './failure.js'
import { Interruption } from './interruption.js'
import { createProgram } from './program.js'
import { Screen, type Stream } from './screen/screen.js'

/** Where it prints and whom it may ask. Default: the process's own streams. */
export interface Surroundings {
  readonly stdout: Stream
  readonly stderr: Stream
  readonly stdin: { readonly isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
}

/** Runs the command that `parameters` name; resolves with its exit code. */
export async function run(
  parameters: readonly string[],
  surroundings: Surroundings = process,
): Promise<ExitCode> {
  const { stdout, stderr, stdin, env } = surroundings
  const json = parameters.includes('--json')
  const screen = new Screen({ output: stdout, errors: stderr, input: stdin, environment: env, json })
  const interruption = new Interruption()
  const commands = new Commands(screen, interruption)
  const program = createProgram(commands, version(), {
    write: (text) => void stdout.write(text),
    writeError: (text) => void (json || stderr.write(text)),
    columns: stdout.columns,
    hasColors: stdout.isTTY === true && !env.NO_COLOR,
  })
  interruption.start()
  try {
    await program.parseAsync([...parameters], { from: 'user' })
    return commands.exitCode
  } catch (error) {
    return ended(error, screen)
  } finally {
    interruption.stop()
  }
}

function ended(error: unknown, screen: Screen): ExitCode {
  if (error instanceof CommanderError) {
    // Help and version end by an error that is none. Help for want of a command is wrong usage.
    if (error.exitCode === 0) return exitCodes.ok
    if (error.code !== 'commander.help')
      return told(new CommandError('USAGE', oneLine(error.message)), screen)
    if (screen.json) return told(new CommandError('USAGE', 'Name a command: --help lists them.'), screen)
    return exitCodes.usage
  }
  return told(error, screen)
}

function told(error: unknown, screen: Screen): ExitCode {
  const failure = failureOf(error)
  tell(screen, failure)
  if (process.env.DEBUG && error instanceof Error) screen.note(error.stack ?? '')
  return failure.exitCode
}

const oneLine = (message: string) => message.replace(/^error: /, '').replaceAll('\n', ' ')

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const isObject = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return isObject ? String(manifest.version) : 'unknown'
}
