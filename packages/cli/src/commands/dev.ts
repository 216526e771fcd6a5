// `eventspine dev`: everything that an app needs on a laptop, in one command: database, tables, worker, HTTP API, and
// a new start at every change.
import { realpathSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import type { Command } from 'commander'
import { type Call, type Commands } from '../command.js'
import type { ExitCode } from '../failure.js'
import { wholeNumber } from '../input/values.js'
import { namedDatabase, type OpenDatabase, openEmbedded } from '../project/database.js'
import { findAppFile, findProject, type Project } from '../project/project.js'
import { chosenBy, type Settings } from '../project/settings.js'
import type { Screen } from '../screen/screen.js'
import { bold, cyan, dim, green, type Text } from '../screen/text.js'
import { duration } from '../screen/time.js'
import { AppFiles } from '../supervise/app-files.js'
import { FolderWatch } from '../supervise/folder-watch.js'
import { type Ready, recordOf } from '../supervise/messages.js'
import { Report } from '../supervise/report.js'
import { Supervisor } from '../supervise/supervisor.js'

interface DevFlags {
  readonly port?: number
  readonly watch?: boolean
}

const portDefault = 4600
/** At a change nobody wants to wait for a slow handler: its delivery is begun again. */
const shutdownMs = 3_000
const patienceMs = 6_000

/** Adds the command. */
export function addDev(program: Command, commands: Commands): void {
  program
    .command('dev')
    .description('run the app on this machine: database, worker and HTTP API, started anew at every change')
    .option(
      '--port <port>',
      'of the HTTP API. Default: PORT, else 4600; 0 takes a free one',
      wholeNumber(0, 65_535),
    )
    .option('--no-watch', 'do not start anew at changes')
    .action(commands.task(dev))
}

async function dev(screen: Screen, { flags, interruption }: Call<DevFlags>): Promise<ExitCode> {
  const project = findProject(process.cwd(), process.env)
  const file = findAppFile(process.cwd(), flags.app)
  const named = namedDatabase(flags.databaseUrl, process.env)
  const embedded = new HeldDatabase(project, named === undefined)
  const report = new Report(screen, screen.json)
  // Modules are known by their real paths.
  const folder = dirname(realpathSync(file))
  const files = new AppFiles()
  const watched = flags.watch === false ? undefined : folder
  const supervisor = new Supervisor({
    screen,
    report,
    processes: [processOf(flags, file, named)],
    loaded: (path) => files.add(path),
    waits: () => files.failed(),
    ready: (_name, ready, tookMs, starts) => {
      files.works()
      embedded.keep(ready.embedded)
      if (starts === 1)
        report.say(
          'ready',
          { ...recordOf(ready), tookMs },
          ...welcome(ready, tookMs, project, watched, chosenBy(flags)),
        )
      else
        report.say('restarted', { ...recordOf(ready), tookMs }, [
          green('✓'),
          ` Running again after ${duration(tookMs)}.`,
        ])
    },
    waitsFor: `Waiting for a change in ${shown(folder)}.`,
  })
  const changed = (path: string) => {
    report.say('changed', { path }, [cyan('↻'), ` ${path} changed.`])
    void supervisor.restart()
  }
  const watch = new FolderWatch(folder, changed, (path) => files.concerns(path))
  if (watched !== undefined) watch.start()
  try {
    embedded.open()
    return await supervisor.run(interruption)
  } finally {
    watch.stop()
    await embedded.stop()
  }
}

function processOf(flags: DevFlags & Settings, file: string, named: string | undefined) {
  const port = flags.port ?? portOf(process.env.PORT)
  const parameters = ['serve', '--api', '--work', '--migrate', '--development', '--embedded-use', 'create']
  const chosen = ['--app', file, '--port', String(port), '--shutdown-ms', String(shutdownMs)]
  const schema = flags.schema === undefined ? [] : ['--schema', flags.schema]
  return {
    name: 'process',
    parameters: [...parameters, ...chosen, ...schema],
    // By the environment: arguments are seen by everyone on the machine, and the address holds a password.
    environment: { ...process.env, DATABASE_URL: named ?? '' },
    patienceMs,
    readsLines: true,
    waitsForChange: flags.watch !== false,
  }
}

/** The port that PORT names, if it does. */
export function portOf(text: string | undefined): number {
  return text === undefined || text === '' ? portDefault : wholeNumber(0, 65_535)(text)
}

// The embedded database is held here, so that it outlives the process that is started anew.
class HeldDatabase {
  readonly #project: Project
  #opening: Promise<OpenDatabase | undefined> = Promise.resolve(undefined)
  readonly #wanted: boolean

  constructor(project: Project, wanted: boolean) {
    this.#project = project
    this.#wanted = wanted
  }

  /** A failure is told by the process that needs it. */
  open(): void {
    if (this.#wanted) this.#opening = openEmbedded(this.#project, true).catch(() => undefined)
  }

  /** Lets it go when the app turns out to have a database of its own. */
  keep(needed: boolean): void {
    if (!needed) void this.stop()
  }

  async stop(): Promise<void> {
    await (await this.#opening)?.stop()
  }
}

const shown = (path: string) => {
  const short = relative(process.cwd(), path)
  return short === '' ? 'this folder' : short.startsWith('..') ? path : short
}

// The part of an address that no browser sends: the console exchanges the key for a session and takes it away.
const inFragment = (key: string | undefined) => (key === undefined ? '' : `#key=${key}`)

function welcome(
  ready: Ready,
  tookMs: number,
  project: Project,
  watched: string | undefined,
  chosen: string,
): Text[] {
  const done = (text: Text): Text => ['  ', green('✓'), ' ', text]
  const run = process.env.npm_lifecycle_event === 'eventspine' ? 'npm run eventspine --' : 'eventspine'
  const subscriptions =
    ready.subscriptions.length === 0 ? 'no subscription yet' : ready.subscriptions.join(', ')
  const key = ready.key === undefined ? [] : [done(['Development key  ', dim(ready.key)])]
  return [
    '',
    ['  ', bold('Eventspine'), dim(` · ${ready.app} · ready in ${duration(tookMs)}`)],
    '',
    done([
      'Database         ',
      ready.embedded ? `embedded, data in ${shown(project.dataDirectory)}` : 'the named server',
    ]),
    done(['Delivering to    ', subscriptions]),
    done(['HTTP API         ', cyan(ready.url ?? '')]),
    done(['Console          ', cyan(`${ready.url ?? ''}/console/${inFragment(ready.key)}`)]),
    ...key,
    ...(watched === undefined
      ? []
      : [done(['Watching         ', `${shown(watched)}: a change of what it has loaded starts it anew`])]),
    '',
    dim('  In another terminal:'),
    ...['events tail', 'doctor', 'dead list'].map((command) => `    ${run} ${command}${chosen}`),
    '',
    dim('  Ctrl-C drains and stops everything.'),
    '',
  ]
}
