// What `new Eventspine(app, options)` takes, and every default in one place.

import { type AppendLimits, appendLimitsDefault, type ClaimPort } from '../append/index.js'
import { directoryClaims } from '../claim/index.js'
import { type CapacityLimits, capacityLimitsDefault } from '../deliver/index.js'
import { type Clock, EventspineError, type Random, systemClock, systemRandom } from '../kernel/index.js'
import { jsonLogger, type Logger } from '../observe/log.js'
import { keyBytes, type MasterKey, masterKeyOf } from '../personal/index.js'
import type { Retention, Store } from '../store/store.js'
import type { Post } from '../webhook/index.js'

export interface CellOptions {
  /** `postgres://user:password@host:port/database`. PostgreSQL 15 or newer. */
  readonly url: string
  /** Default `eventspine`. */
  readonly schema?: string
  /** Connections for transactional handlers, besides twelve with fixed work. Default 6. */
  readonly connectionsMax?: number
}

/** The cell that `prepare` is to make ready. */
export interface CellToPrepare {
  /** Its name; `main` where there is one only. */
  readonly cell: string
  readonly databaseUrl: string
}

export interface EventspineOptions {
  /** One cell named `main`. For several give `cells`. */
  readonly databaseUrl?: string
  readonly schema?: string
  readonly cells?: Readonly<Record<string, CellOptions>>
  /** Which cell a tenant lives in. Default: the first. */
  readonly placement?: (tenant: string) => string
  /** Create or upgrade the tables at start. Default true. */
  readonly migrate?: boolean
  /** Register the schemas of the app's events at start, and refuse to start with one that was changed without a new
   *  version. Default true; false for what only looks. */
  readonly contracts?: boolean
  /** Makes what the app itself needs in a cell's database, such as its own tables. Called for each cell at every start
   *  that migrates, behind the migration and before any delivery, by one process at a time: what it does must be safe
   *  to do again. What it throws fails the start. */
  readonly prepare?: (cell: CellToPrepare) => Promise<void>
  /** Deliver in this process too. Default true; false for a process that only publishes. */
  readonly work?: boolean
  /** What enciphers the keys of persons, each 32 bytes in base64: the first for new ones, the others open older ones. Default:
   *  EVENTSPINE_PERSONAL_KEY, several with commas between. Needed where events have `personal` fields. */
  readonly personalKeys?: readonly string[]
  /** Run the custom sources of the app in this process, once it delivers. Default: as `work`. */
  readonly sources?: boolean
  /** Default: JSON lines on standard error from level `warn`. */
  readonly logger?: Logger
  /** Tenant of events that name none. Default `default`. */
  readonly tenant?: string
  /** CloudEvents `source` of events that name none. Default `/` and the app's name. */
  readonly source?: string
  /** How long an id given by a publisher is remembered. Default 7 days. */
  readonly idempotencyWindowMs?: number
  /** Where bodies over the soft limit go. Default: a table of the cell. */
  readonly claim?: { readonly directory: string } | { readonly store: ClaimPort }
  /** Bytes of JSON above which a body goes there. Default 64 KiB. */
  readonly softLimitBytes?: number
  /** Bytes of JSON above which an event is refused. Default 256 KiB. */
  readonly hardLimitBytes?: number
  readonly retention?: Partial<Retention>
  /** Publishing: 50,000 events and 64 MiB on their way to the log, 10,000 events and 32 MiB in one `publishMany`.
   *  Delivering: handlers at a time. */
  readonly limits?: Partial<
    Pick<AppendLimits, 'pendingEventsMax' | 'pendingBytesMax' | 'callEventsMax' | 'callBytesMax'>
  > &
    Partial<Omit<CapacityLimits, 'transactionsMax'>>
  /** How long running handlers may take to end when the process stops. Default 25,000. */
  readonly shutdownMs?: number
  /** The process is killed, to be started anew by its supervisor, when its event loop stands still for so long:
   *  handlers of others would wait for ever. Default 20,000, and never more than four fifths of the shortest lease (a
   *  deadline and 30 s; 5 s for alarms). 0 switches it off; under a debugger it is off. */
  readonly stalledMs?: number
}

const day = 86_400_000

/** What the testing kit puts in place of the real ones. */
export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly storeOf: ((cell: string) => { readonly store: Store; readonly claim: ClaimPort }) | undefined
  /** Sends messages of webhooks. Left out: over the network. */
  readonly post?: Post
}

export const realSurroundings: Surroundings = { clock: systemClock, random: systemRandom, storeOf: undefined }

export interface ResolvedOptions {
  readonly cells: ReadonlyMap<string, CellOptions>
  readonly placement: (tenant: string) => string
  readonly migrate: boolean
  readonly contracts: boolean
  readonly prepare: ((cell: CellToPrepare) => Promise<void>) | undefined
  readonly work: boolean
  readonly sources: boolean
  readonly masterKeys: readonly MasterKey[]
  readonly logger: Logger
  readonly tenant: string
  readonly source: string
  readonly idempotencyWindowMs: number
  /** One for all cells; undefined for a table of each. */
  readonly claim: ClaimPort | undefined
  readonly hardLimitBytes: number
  readonly appendLimits: AppendLimits
  readonly capacityLimits: CapacityLimits
  readonly retention: Retention
  readonly shutdownMs: number
  readonly stalledMs: number
}

export function resolveOptions(options: EventspineOptions, appName: string): ResolvedOptions {
  const cells = cellsOf(options)
  const [first] = cells.keys()
  return {
    cells,
    placement: options.placement ?? (() => first as string),
    migrate: options.migrate ?? true,
    contracts: options.contracts ?? true,
    prepare: options.prepare,
    work: options.work ?? true,
    masterKeys: masterKeysOf(options.personalKeys),
    sources: (options.work ?? true) && (options.sources ?? true),
    logger: options.logger ?? jsonLogger('warn', systemClock.now, (line) => process.stderr.write(line)),
    tenant: options.tenant ?? 'default',
    source: options.source ?? `/${appName}`,
    idempotencyWindowMs: options.idempotencyWindowMs ?? 7 * day,
    claim: sharedClaim(options.claim),
    hardLimitBytes: options.hardLimitBytes ?? 256 * 1024,
    appendLimits: {
      ...appendLimitsDefault,
      softLimitBytes: options.softLimitBytes ?? 64 * 1024,
      ...given('pendingEventsMax', options.limits?.pendingEventsMax),
      ...given('pendingBytesMax', options.limits?.pendingBytesMax),
      ...given('callEventsMax', options.limits?.callEventsMax),
      ...given('callBytesMax', options.limits?.callBytesMax),
    },
    capacityLimits: {
      ...capacityLimitsDefault,
      ...given('handlersMax', options.limits?.handlersMax),
      ...given('alarmsReserved', options.limits?.alarmsReserved),
      transactionsMax: Math.min(
        ...[...cells.values()].map((cell) =>
          Math.max(2, cell.connectionsMax ?? capacityLimitsDefault.transactionsMax),
        ),
      ),
    },
    retention: {
      eventsMs: 30 * day,
      runsMs: 7 * day,
      resolvedDeadLettersMs: 30 * day,
      endedWorkflowsMs: 30 * day,
      ...options.retention,
    },
    shutdownMs: options.shutdownMs ?? 25_000,
    stalledMs: options.stalledMs ?? 20_000,
  }
}

const given = <Name extends string>(name: Name, value: number | undefined) =>
  value === undefined ? {} : ({ [name]: value } as Record<Name, number>)

// One object for all cells: each alone would expire bodies of the directory that another still needs.
function sharedClaim(claim: EventspineOptions['claim']): ClaimPort | undefined {
  if (claim === undefined) return undefined
  return 'store' in claim ? claim.store : directoryClaims({ directory: claim.directory })
}

function cellsOf(options: EventspineOptions): ReadonlyMap<string, CellOptions> {
  if (options.cells !== undefined && Object.keys(options.cells).length > 0)
    return new Map(Object.entries(options.cells))
  if (options.databaseUrl !== undefined) {
    return new Map([
      [
        'main',
        { url: options.databaseUrl, ...(options.schema === undefined ? {} : { schema: options.schema }) },
      ],
    ])
  }
  throw new EventspineError(
    'REQUEST_INVALID',
    'No database given. Write new Eventspine(app, { databaseUrl: process.env.DATABASE_URL }), or { cells: { main: { url } } }.',
  )
}

function masterKeysOf(keys: readonly string[] | undefined): readonly MasterKey[] {
  return (keys ?? process.env['EVENTSPINE_PERSONAL_KEY']?.split(',') ?? [])
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => {
      const bytes = Buffer.from(text, 'base64')
      if (bytes.length === keyBytes) return masterKeyOf(bytes)
      throw new EventspineError(
        'REQUEST_INVALID',
        `A key of EVENTSPINE_PERSONAL_KEY (or personalKeys) has ${bytes.length} bytes, and must have ${keyBytes}, in base64. Make one: openssl rand -base64 32.`,
        { field: '/personalKeys' },
      )
    })
}
