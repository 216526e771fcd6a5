// All that one event led to and came from, as a waterfall draws it: events in the order of the log, each with the attempts
// of its deliveries, and the workflow instances that began.
import type { StoredEvent } from '../event/stored.js'
import type { Category } from '../handle/category.js'
import type { Loaded } from '../workflow/port.js'
import type { DeliveryView } from './port.js'
import type { DeliveryWait } from './wait.js'

export interface TraceAttempt {
  readonly round: number
  readonly attempt: number
  readonly worker: string
  readonly outcome: 'done' | 'retry' | 'dead'
  /** By the clock of its worker. */
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** Since the attempt before it ended; of the first, since the event was recorded. 0 where clocks disagree. */
  readonly waitedMs: number
  /** Of its failure. */
  readonly category: Category | null
  readonly message: string | null
}

export interface TraceDelivery
  extends Pick<DeliveryView, 'id' | 'subscription' | 'replay' | 'state' | 'dueAtMs'> {
  /** Oldest first. Empty before the first, and once run history has gone. */
  readonly attempts: readonly TraceAttempt[]
  /** Why it does not run now; null where it runs or is through. */
  readonly wait: DeliveryWait | null
}

export interface TraceInstance {
  readonly workflow: string
  readonly id: string
  readonly version: number
  readonly state: Loaded['instance']['state']
  readonly startedAtMs: number
  readonly endedAtMs: number | null
  readonly entries: readonly {
    readonly position: number
    readonly kind: string
    readonly place: string
    readonly name: string
    readonly atMs: number
  }[]
}

export interface TraceEvent {
  readonly id: string
  /** All events of a trace have the same: ids repeat between tenants. */
  readonly tenant: string
  readonly type: string
  readonly version: number
  readonly key: string | null
  readonly source: string
  readonly causationId: string | null
  /** RFC 3339, by the database's clock. */
  readonly recordedAt: string
  /** The subscription whose handler published it. Told from its cause: null where that had more than one which may have. */
  readonly publisher: string | null
  readonly deliveries: readonly TraceDelivery[]
  /** Instances that this event started: it is the engine's own, behind the event that a workflow is on. */
  readonly workflows: readonly TraceInstance[]
}

export interface Trace {
  readonly correlationId: string
  /** In the order of the log. */
  readonly events: readonly TraceEvent[]
  /** Events, attempts, deliveries without an attempt, and entries, together. */
  readonly spans: number
  /** There is more than was read: the event that was asked for, then the oldest ones, are here. */
  readonly truncated: boolean
}

/** Without its publisher, which other events tell. */
export type TracePart = Omit<TraceEvent, 'publisher'>

export function tracePart(
  event: StoredEvent,
  deliveries: readonly DeliveryView[],
  started: Loaded | null,
  waits: ReadonlyMap<string, DeliveryWait>,
): TracePart {
  const { id, tenant, type, version, key, source, causationId, recordedAtMs } = event
  return {
    ...{ id, tenant, type, version, key, source, causationId },
    recordedAt: new Date(recordedAtMs).toISOString(),
    deliveries: deliveries.map((delivery) =>
      traceDelivery(delivery, recordedAtMs, waits.get(delivery.id) ?? null),
    ),
    workflows: started === null ? [] : [traceInstance(started)],
  }
}

export const spansOf = ({ deliveries, workflows }: TracePart): number =>
  deliveries.reduce((sum, { attempts }) => sum + Math.max(1, attempts.length), 1) +
  workflows.reduce((sum, { entries }) => sum + entries.length, 0)

export function withPublishers(parts: readonly TracePart[]): TraceEvent[] {
  const byId = new Map(parts.map((part) => [part.id, part]))
  return parts.map((part) => {
    const cause = part.causationId === null ? undefined : byId.get(part.causationId)
    // What an attempt published comes into the log with its success.
    const may = (cause?.deliveries ?? []).filter(
      ({ state, attempts }) => state === 'completed' || attempts.some(({ outcome }) => outcome === 'done'),
    )
    return { ...part, publisher: may.length === 1 ? (may[0]?.subscription ?? null) : null }
  })
}

function traceDelivery(
  { id, subscription, replay, state, dueAtMs, runs }: DeliveryView,
  recordedAtMs: number,
  wait: DeliveryWait | null,
): TraceDelivery {
  let readyAtMs = recordedAtMs
  const attempts = runs.map(({ round, attempt, worker, outcome, startedAtMs, durationMs, failure }) => {
    const waitedMs = Math.max(0, startedAtMs - readyAtMs)
    const endedAtMs = startedAtMs + durationMs
    readyAtMs = endedAtMs
    const { category = null, message = null } = failure ?? {}
    return { round, attempt, worker, outcome, startedAtMs, endedAtMs, waitedMs, category, message }
  })
  return { id, subscription, replay, state, dueAtMs, attempts, wait }
}

function traceInstance({ instance, history }: Loaded): TraceInstance {
  const { workflow, id, version, state, startedAtMs, endedAtMs } = instance
  const entries = history.map(({ position, kind, place, name, atMs }) => ({
    position,
    kind,
    place,
    name,
    atMs,
  }))
  return { workflow, id, version, state, startedAtMs, endedAtMs, entries }
}
