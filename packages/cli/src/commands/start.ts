// `eventspine start`: production on one machine: worker processes and one for the HTTP API, each started again when it
// dies. A handler that blocks its process does not stop the API.
import type { Command } from 'commander'
import { type Call, type Commands } from '../command.js'
import type { ExitCode } from '../failure.js'
import { wholeNumber } from '../input/values.js'
import { namedDatabase } from '../project/database.js'
import { findAppFile } from '../project/project.js'
import type { Settings } from '../project/settings.js'
import type { Screen } from '../screen/screen.js'
import { cyan, green, type Text } from '../screen/text.js'
import { duration } from '../screen/time.js'
import { type Ready, recordOf } from '../supervise/messages.js'
import { Report } from '../supervise/report.js'
import type { ProcessOptions } from '../supervise/supervised-process.js'
import { Supervisor } from '../supervise/supervisor.js'
import { portOf } from './dev.js'

interface StartFlags {
  readonly workers: number
  readonly api?: boolean
  readonly host?: string
  readonly port?: number
  readonly keys?: string
  readonly migrate?: boolean
}

const workersMax = 64
/** A little longer than the library gives running handlers to end (25 s). */
const patienceMs = 30_000

/** Adds the command. */
export function addStart(program: Command, commands: Commands): void {
  program
    .command('start')
    .description('run in production: supervised workers and the HTTP API, on the server of DATABASE_URL')
    .option('--workers <number>', 'worker processes', wholeNumber(0, workersMax), 1)
    .option('--host <host>', 'of the HTTP API. Default: 127.0.0.1')
    .option('--port <port>', 'of the HTTP API. Default: PORT, else 4600', wholeNumber(0, 65_535))
    .option('--keys <file>', 'file of API keys, beside those of the database')
    .option('--no-api', 'workers only')
    .option('--no-migrate', 'leave the tables as they are')
    .action(commands.task(start))
}

async function start(screen: Screen, { flags, interruption }: Call<StartFlags>): Promise<ExitCode> {
  const report = new Report(screen, screen.json || !screen.isTerminal)
  const supervisor = new Supervisor({
    screen,
    report,
    processes: processesOf(flags),
    ready: (name, ready, tookMs, starts) =>
      report.say('ready', { process: name, ...recordOf(ready), tookMs, starts }, line(name, ready, tookMs)),
  })
  return supervisor.run(interruption)
}

function line(name: string, { url, subscriptions }: Ready, tookMs: number): Text {
  const what: Text =
    url === undefined
      ? `delivers to ${subscriptions.join(', ')}`
      : ['serves ', cyan(url), ' and the console at ', cyan(`${url}/console/`)]
  return [green('✓'), ` The ${name} `, what, `, ready in ${duration(tookMs)}.`]
}

function processesOf(flags: StartFlags & Settings): ProcessOptions[] {
  const file = findAppFile(process.cwd(), flags.app)
  const named = namedDatabase(flags.databaseUrl, process.env)
  const common = [
    ...['serve', '--embedded-use', 'never', '--app', file],
    ...(flags.migrate === false ? [] : ['--migrate']),
    ...given('--schema', flags.schema),
    ...given('--cell', flags.cell),
  ]
  const processOf = (name: string, parameters: readonly string[]): ProcessOptions => ({
    name,
    parameters: [...common, ...parameters],
    environment: { ...process.env, DATABASE_URL: named ?? '' },
    patienceMs,
    readsLines: false,
    waitsForChange: false,
  })
  const port = String(flags.port ?? portOf(process.env.PORT))
  const api = ['--api', '--port', port, ...given('--host', flags.host), ...given('--keys', flags.keys)]
  const workers = Array.from({ length: flags.workers }, (_, index) =>
    processOf(`worker ${index + 1}`, ['--work']),
  )
  return flags.api === false ? workers : [...workers, processOf('HTTP API', api)]
}

const given = (flag: string, value: string | undefined) => (value === undefined ? [] : [flag, value])
