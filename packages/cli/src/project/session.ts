// One Eventspine for the length of one command: database, app, cell. It never delivers, whatever the command does.
import { Eventspine, type EventspineOptions, type Logger, type Operator } from 'eventspine'
import { CommandError, exitCodes } from '../failure.js'
import { suggestion } from '../input/suggestion.js'
import type { Screen } from '../screen/screen.js'
import { yellow } from '../screen/text.js'
import { type LoadedApp, loadApp } from './app-file.js'
import { embeddedPersonalKeys, namedDatabase, type OpenDatabase, openEmbedded } from './database.js'
import { findAppFile, findProject } from './project.js'
import { actorOf, chosenBy, type Settings } from './settings.js'

export interface Session {
  readonly spine: Eventspine
  readonly operator: Operator
  readonly screen: Screen
  /** Who acts, for the audit. */
  readonly actor: string
  /** The cell that was asked for. */
  readonly cell: string | undefined
  /** Another command, to be shown to the person: it means the same app, tables and cell. */
  hint(command: string): string
}

export interface SessionNeeds {
  /** Makes database and tables where they are missing. Default false. */
  readonly migrate?: boolean
  /** Registers the app's contracts, as a start does. Default false. */
  readonly contracts?: boolean
  readonly logger?: Logger
}

/** Runs `work` between start and stop. */
export async function inSession<Result>(
  settings: Settings,
  screen: Screen,
  needs: SessionNeeds,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const loaded = await loadApp(findAppFile(process.cwd(), settings.app))
  const { options, database } = await chooseCells(
    settings,
    loaded,
    needs.migrate === true ? 'create' : 'existing',
  )
  try {
    const spine = new Eventspine(loaded.app, {
      ...options,
      work: false,
      migrate: needs.migrate === true,
      contracts: needs.contracts === true,
      logger: needs.logger ?? screenLogger(screen),
    })
    return await started(spine, () => work(sessionOf(spine, settings, screen)))
  } finally {
    await database?.stop()
  }
}

async function started<Result>(spine: Eventspine, work: () => Promise<Result>): Promise<Result> {
  try {
    await spine.start()
    return await work()
  } finally {
    await spine.stop()
  }
}

function sessionOf(spine: Eventspine, settings: Settings, screen: Screen): Session {
  return {
    spine,
    screen,
    operator: spine.operator(settings.cell),
    actor: actorOf(settings),
    cell: settings.cell,
    hint: (command) => `eventspine ${command}${chosenBy(settings)}`,
  }
}

export interface Chosen {
  readonly options: EventspineOptions
  readonly database: OpenDatabase | undefined
}

/** What is done where no database is named: the embedded one is used, made where it is missing, or refused. */
export type EmbeddedUse = 'existing' | 'create' | 'never'

/** The app's options with the cells to work on. A database named by a flag takes the place of all of them. */
export async function chooseCells(
  settings: Settings,
  { options }: LoadedApp,
  embedded: EmbeddedUse,
): Promise<Chosen> {
  const { cells, placement, databaseUrl, ...rest } = options
  const schema = settings.schema ?? options.schema
  const only = (url: string) => ({ ...rest, databaseUrl: url, ...(schema !== undefined && { schema }) })
  const named = namedDatabase(settings.databaseUrl, process.env)
  if (settings.databaseUrl === undefined && cells !== undefined) {
    const all = { ...rest, cells, ...(placement !== undefined && { placement }) }
    return { options: cellsFor(settings.cell, all), database: undefined }
  }
  requireMain(settings.cell)
  const url = named ?? databaseUrl
  if (url !== undefined) return { options: only(url), database: undefined }
  if (embedded === 'never') throw databaseNeeded()
  const project = findProject(process.cwd(), process.env)
  const database = await openEmbedded(project, embedded === 'create')
  const personalKeys = options.personalKeys ?? (await embeddedPersonalKeys(project))
  return { options: { ...only(database.url), personalKeys }, database }
}

const databaseNeeded = () =>
  new CommandError(
    'DATABASE_NEEDED',
    'In production a server is named: set DATABASE_URL, or give --database-url. To try things out: eventspine dev.',
    { field: '--database-url' },
  )

// Only the cell that was asked for: another one that is away is no hindrance.
function cellsFor(cell: string | undefined, options: EventspineOptions): EventspineOptions {
  if (cell === undefined) return options
  const chosen = options.cells?.[cell]
  if (chosen === undefined) throw unknownCell(cell, Object.keys(options.cells ?? {}))
  return { ...options, cells: { [cell]: chosen } }
}

function requireMain(cell: string | undefined): void {
  if (cell !== undefined && cell !== 'main') throw unknownCell(cell, ['main'])
}

const unknownCell = (cell: string, known: readonly string[]) =>
  new CommandError('CELL_UNKNOWN', `There is no cell "${cell}". ${suggestion(cell, known)}`, {
    field: '--cell',
    exitCode: exitCodes.notFound,
  })

const quiet = () => {}

/** What the library warns of, on standard error. */
function screenLogger(screen: Screen): Logger {
  const say =
    (level: string) =>
    (message: string, fields: object = {}) =>
      screen.complain({ level, message, ...fields }, [yellow(level), ' ', message])
  return { debug: quiet, info: quiet, warn: say('warning'), error: say('error') }
}
