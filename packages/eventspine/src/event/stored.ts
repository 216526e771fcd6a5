// An event as the log holds it, and its place in the log's one total order.

/** The place of an event: ticks in order, `seq` inside a tick. The same for every subscriber and every replay. */
export interface Position {
  readonly tick: number
  /** Settled through this `seq` inside `tick`; `endOfTick` when the whole tick is. */
  readonly seq: number
}

/** The `seq` of a position that stands behind every event of its tick. */
export const endOfTick = Number.MAX_SAFE_INTEGER

export function comparePositions(a: Position, b: Position): number {
  return a.tick - b.tick || a.seq - b.seq
}

/** What is appended: complete, checked and serialised. */
export interface NewEvent {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly tenant: string
  readonly source: string
  readonly subject: string | null
  readonly key: string | null
  /** When it happened, in milliseconds since 1970. */
  readonly timeMs: number
  /** JSON text, or null when the body went to the claim check. */
  readonly data: string | null
  /** Reference into the object store when the body is kept there. */
  readonly claim: string | null
  readonly traceparent: string
  readonly correlationId: string
  readonly causationId: string | null
  /** Further CloudEvents extension attributes as JSON text. */
  readonly extensions: string | null
  /** Set when the publisher gave an id: repeats of (tenant, source, id) inside the window are one event. */
  readonly fingerprint: string | null
}

export interface StoredEvent extends Omit<NewEvent, 'fingerprint'> {
  readonly epoch: number
  /** The transaction that wrote it. With epoch and seq the primary key of its row. */
  readonly xid: number
  readonly seq: number
  readonly tick: number
  /** When the database wrote it, by the database clock, in milliseconds since 1970. */
  readonly recordedAtMs: number
}

/** `subscription/epoch.seq`, for a replay `subscription/epoch.seq~replay`: the same over attempts, redrives and failover. */
export function deliveryId(subscription: string, replay: string, epoch: number, seq: number): string {
  return `${subscription}/${epoch}.${seq}${replay === '' ? '' : `~${replay}`}`
}

// What events stand in line by: their key, each tenant's apart. Two tenants that both count their orders from 1 must not
// wait for each other, and a dead letter of one must not halt what the other sees no reason for.

/** Tenant, NUL, key: neither of them can hold that character. */
export type OrderingKey = `${string}\0${string}`

type Keyed = Pick<NewEvent, 'tenant' | 'key'>

export function orderingKeyOf(event: Keyed & { readonly key: string }): OrderingKey
export function orderingKeyOf(event: Keyed): OrderingKey | null
export function orderingKeyOf({ tenant, key }: Keyed): OrderingKey | null {
  return key === null ? null : `${tenant}\0${key}`
}

export function partsOf(orderingKey: OrderingKey): { readonly tenant: string; readonly key: string } {
  const end = orderingKey.indexOf('\0')
  return { tenant: orderingKey.slice(0, end), key: orderingKey.slice(end + 1) }
}
