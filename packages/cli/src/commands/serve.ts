// The process that `dev` and `start` supervise. It tells its supervisor when it is ready or why it is not, and ends
// when it is told to or when the supervisor is gone. Not for people: hidden from --help.
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Command, Option } from 'commander'
import { type Call, type Commands } from '../command.js'
import { type ExitCode, failureOf } from '../failure.js'
import { wholeNumber } from '../input/values.js'
import type { Screen } from '../screen/screen.js'
import { watchLoading } from '../supervise/loaded-files.js'
import { type Loaded, messageOf, type Ready, type Refused } from '../supervise/messages.js'
import type { ServingOptions } from '../supervise/serving.js'

type ServeFlags = Partial<ServingOptions>

/** Adds the command. */
export function addServe(program: Command, commands: Commands): void {
  program
    .command('serve', { hidden: true })
    .option('--api')
    .option('--work')
    .option('--migrate')
    .option('--development')
    .addOption(new Option('--embedded-use <use>').choices(['create', 'never']))
    .option('--host <host>')
    .option('--port <port>', '', wholeNumber(0, 65_535))
    .option('--keys <file>')
    .option('--shutdown-ms <ms>', '', wholeNumber(0, 600_000))
    .action(commands.task(serve))
}

async function serve(
  screen: Screen,
  { flags, interruption }: Call<ServeFlags>,
): Promise<ExitCode | undefined> {
  // Imported here: whoever supervises this process loads this file too, and needs no library.
  const { Serving } = await import('../supervise/serving.js')
  const { jsonLogger } = await import('eventspine')
  const serving = new Serving({
    ...flags,
    api: flags.api === true,
    work: flags.work === true,
    migrate: flags.migrate === true,
    development: flags.development === true,
    embeddedUse: flags.embeddedUse ?? 'never',
    ...(flags.development === true && { watches: tellLoaded }),
  })
  // Ctrl-C in a terminal reaches this process too; the supervisor decides.
  interruption.stop()
  for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => {})
  // A promise that a handler or a schema left behind must not end the process and everybody else's work with it.
  process.on('unhandledRejection', (reason) => {
    jsonLogger('error', Date.now, (line) => process.stderr.write(line)).error(
      'a promise was rejected and nobody awaited it',
      {
        error: reason instanceof Error ? reason : new Error(String(reason)),
      },
    )
  })
  const stopped = stopSignal()
  try {
    await tell(await serving.start())
    await stopped
  } catch (error) {
    const failure = failureOf(error)
    await tell({ kind: 'refused', failure })
    await serving.stop()
    if (!process.connected) screen.complain(failure, failure.message)
    return failure.exitCode
  }
  await serving.stop()
  return undefined
}

// Each file once: there are as many messages as the app has files.
function tellLoaded(file: string): void {
  const told = new Set<string>()
  watchLoading(dirname(realpathSync(file)), (path) => {
    if (told.has(path) || !process.connected) return
    told.add(path)
    process.send?.({ kind: 'loaded', path } satisfies Loaded)
  })
}

// Waits until it is on its way: the process may end right behind it.
async function tell(message: Ready | Refused): Promise<void> {
  if (!process.connected) return
  await new Promise((resolve) => process.send?.(message, undefined, undefined, resolve))
}

// The supervisor may be gone before anybody listened for that.
function stopSignal(): Promise<unknown> {
  if (process.connected === false) return Promise.resolve()
  const told = new Promise((resolve) => {
    process.on('message', (value) => messageOf(value)?.kind === 'stop' && resolve(undefined))
  })
  return Promise.race([told, once(process, 'disconnect'), once(process, 'SIGTERM')])
}
