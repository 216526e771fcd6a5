// How an event is shown to people and over HTTP: CloudEvents attributes with parsed data, and the tree of what led to it.
import type { StoredEvent } from '../event/stored.js'

export interface EventView {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly source: string
  readonly subject?: string
  readonly tenant: string
  readonly key?: string
  /** When it happened, RFC 3339. */
  readonly time: string
  /** When the database wrote it, RFC 3339. */
  readonly recordedAt: string
  /** Null, too, where `unreadable` is said. */
  readonly data: unknown
  /** Its data lie in the object store, under the name `claim`, and could not be fetched. Left out where they are here. */
  readonly unreadable?: { readonly claim: string; readonly reason: string }
  readonly traceparent: string
  readonly correlationId: string
  readonly causationId?: string
  readonly extensions: Readonly<Record<string, unknown>>
  /** Its identity in the log; never reused. */
  readonly position: { readonly epoch: number; readonly seq: number }
}

/** An event and what its handlers published. */
export interface CausalNode {
  readonly event: EventView
  readonly children: readonly CausalNode[]
}

/** `body`: its data as JSON, or what was thrown for them. */
export function viewOf(event: StoredEvent, body: string | Error): EventView {
  const missing = body instanceof Error
  return {
    id: event.id,
    type: event.type,
    version: event.version,
    source: event.source,
    ...(event.subject === null ? {} : { subject: event.subject }),
    tenant: event.tenant,
    ...(event.key === null ? {} : { key: event.key }),
    time: new Date(event.timeMs).toISOString(),
    recordedAt: new Date(event.recordedAtMs).toISOString(),
    data: missing ? null : JSON.parse(body),
    ...(missing ? { unreadable: { claim: event.claim ?? '', reason: body.message } } : {}),
    traceparent: event.traceparent,
    correlationId: event.correlationId,
    ...(event.causationId === null ? {} : { causationId: event.causationId }),
    extensions: event.extensions === null ? {} : (JSON.parse(event.extensions) as Record<string, unknown>),
    position: { epoch: event.epoch, seq: event.seq },
  }
}

interface Growing extends CausalNode {
  readonly children: Growing[]
}

/**
 * The tree of a correlation, rooted at its first event; `events` come oldest first. A cause is always older than its
 * effect, so what names a later event, itself, or one that is not here hangs on the root: no cycle can form, and nothing
 * is left out. Undefined without events.
 */
export function causalTree(events: readonly EventView[]): CausalNode | undefined {
  const placed = new Map<string, Growing>()
  let root: Growing | undefined
  for (const event of events) {
    const node: Growing = { event, children: [] }
    const parent = event.causationId === undefined ? root : (placed.get(event.causationId) ?? root)
    parent?.children.push(node)
    root ??= node
    // Ids repeat between sources: the first is the one that could have been named.
    if (!placed.has(event.id)) placed.set(event.id, node)
  }
  return root
}
