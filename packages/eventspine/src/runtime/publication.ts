// What publishing takes and answers, and how many publications become one call.
import { type AppendLimits, bytesOf } from '../append/index.js'
import {
  type AnyEventDefinition,
  type InputOf,
  type NewEvent,
  type Published,
  type PublishOptions,
  reservedPrefix,
} from '../event/index.js'
import { EventspineError } from '../kernel/index.js'
import { isTable } from '../source/index.js'
import type { App } from './app.js'

/** An event from an untyped border. */
export interface IncomingEvent extends PublishOptions {
  readonly type: string
  /** Default: the newest version defined. */
  readonly version?: number
  readonly data: unknown
}

export interface Publication<Definition extends AnyEventDefinition = AnyEventDefinition> {
  readonly event: Definition
  readonly data: InputOf<Definition>
  readonly options?: PublishOptions
}

/** What comes from outside may not look like what the engine itself says. Throws EVENT_INVALID. */
export function foreign<Options extends { readonly source?: string }>(options: Options): Options {
  const { source } = options
  if (ownSources.some((own) => source?.startsWith(own))) throw ofTheEngine('source', source ?? '')
  return options
}

/** Of the engine, and of messages whose sender was verified. */
const ownSources = ['/eventspine/', '/sources/']

/** What somebody outside may publish as. Throws EVENT_UNKNOWN, also for types that are the engine's own or a table's. */
export function definitionFor(
  { registry, sources }: Pick<App, 'registry' | 'sources'>,
  type: string,
  version: number | undefined,
): AnyEventDefinition {
  if (typeof type === 'string' && type.startsWith(reservedPrefix)) throw ofTheEngine('type', type)
  const table = sources.filter(isTable).find(({ event }) => event.type === type)
  // Its handlers believe that the row has changed.
  if (table !== undefined)
    throw new EventspineError(
      'EVENT_UNKNOWN',
      `Events "${type}" are the changes of a table, of the source "${table.name}": they come with a change alone. Change the row, or publish an event of another type.`,
      { field: '/type' },
    )
  return registry.find(type, version)
}

const ofTheEngine = (field: 'type' | 'source', value: string) =>
  new EventspineError(
    field === 'type' ? 'EVENT_UNKNOWN' : 'EVENT_INVALID',
    `The ${field} "${value.slice(0, shownMax)}" is one of the engine's own: nobody else says such a thing.`,
    { field: `/${field}` },
  )

const shownMax = 200

export const isDefinition = (value: unknown): value is AnyEventDefinition =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  value.kind === 'event' &&
  'schema' in value

export const answerOf = ({ id, type, version, tenant, source }: NewEvent): Published => ({
  id,
  type,
  version,
  tenant,
  source,
})

export const withTrace = (options: PublishOptions, traceparent: string | undefined): PublishOptions =>
  traceparent === undefined ? options : { ...options, traceparent }

export const unknownCell = (name: string, known: readonly string[]) =>
  new EventspineError(
    'CELL_UNKNOWN',
    `There is no cell "${name}". Known: ${known.join(', ')}. Check options.cells and options.placement.`,
  )

export const conflictOf = (event: NewEvent, field: string) =>
  new EventspineError(
    'IDEMPOTENCY_CONFLICT',
    `Id "${event.id}" of source "${event.source}" was used for another body. An id names one fact: repeat the same event, or give this one an id of its own.`,
    { field },
  )

/** One event of a call, whoever made it. */
export interface Entry {
  readonly definition: AnyEventDefinition
  readonly data: unknown
  readonly options: PublishOptions
}

/** Bounds what one call holds in memory while it is prepared, and what its transaction holds. */
export class CallSize {
  readonly #bytesMax: number
  #bytesLeft: number

  /** Throws REQUEST_INVALID for more events than one call may have. */
  constructor(events: number, { callEventsMax, callBytesMax }: AppendLimits) {
    this.#bytesMax = callBytesMax
    this.#bytesLeft = callBytesMax
    if (events > callEventsMax)
      throw new EventspineError(
        'REQUEST_INVALID',
        `One call was given ${events} events, which are stored together or not at all; at most ${callEventsMax} are. Publish them in several calls, or raise limits.callEventsMax.`,
      )
  }

  /** Throws REQUEST_INVALID once the call is too large: nothing more has to be prepared then. */
  check(): void {
    if (this.#bytesLeft < 0)
      throw new EventspineError(
        'REQUEST_INVALID',
        `The events of one call, which are stored together or not at all, are larger than ${this.#bytesMax} bytes. Publish them in several calls, or raise limits.callBytesMax.`,
      )
  }

  add(event: NewEvent): void {
    this.#bytesLeft -= bytesOf(event)
    this.check()
  }
}

/** The first of each (tenant, source, id); another body under the same id is refused. */
export function distinct(events: readonly NewEvent[]): readonly NewEvent[] {
  const seen = new Map<string, NewEvent>()
  return events.filter((event, index) => {
    if (event.fingerprint === null) return true
    const identity = `${event.tenant}\n${event.source}\n${event.id}`
    const before = seen.get(identity)
    if (before !== undefined && before.fingerprint !== event.fingerprint)
      throw conflictOf(event, `/${index}/id`)
    seen.set(identity, before ?? event)
    return before === undefined
  })
}

export async function indexed<Result>(index: number, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof EventspineError)) throw error
    const issues = error.issues.map((issue) => ({ ...issue, field: `/${index}${issue.field}` }))
    throw new EventspineError(error.code, error.message, {
      cause: error.cause,
      field: `/${index}${error.field ?? ''}`,
      issues,
    })
  }
}
