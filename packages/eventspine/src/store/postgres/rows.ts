// How an event row becomes a StoredEvent, and how an event travels as JSON inside dead letters and deliveries.
import type { StoredEvent } from '../../event/stored.js'

/** Columns of `event e`, in the order that `eventOfRow` knows. */
export const eventColumns = `e.epoch, e.xid, e.seq, (extract(epoch FROM e.time) * 1000)::float8 AS time_ms,
  (extract(epoch FROM e.recorded_at) * 1000)::float8 AS recorded_ms, e.version, e.id, e.type, e.tenant, e.source,
  e.subject, e.key, e.traceparent, e.correlation_id, e.causation_id, e.claim, e.extensions, e.data`

export interface EventRow {
  readonly epoch: number
  readonly xid: number
  readonly seq: number
  readonly time_ms: number
  readonly recorded_ms: number
  readonly version: number
  readonly id: string
  readonly type: string
  readonly tenant: string
  readonly source: string
  readonly subject: string | null
  readonly key: string | null
  readonly traceparent: string
  readonly correlation_id: string
  readonly causation_id: string | null
  readonly claim: string | null
  readonly extensions: string | null
  readonly data: string | null
}

/** `before`: an event that was read just now. Its type, tenant and source are mostly the same, and then the same texts:
 *  each text less is one less for the garbage collector to carry on. */
export function eventOfRow(row: EventRow, tick: number, before?: StoredEvent): StoredEvent {
  return {
    epoch: row.epoch,
    xid: row.xid,
    seq: row.seq,
    tick,
    timeMs: row.time_ms,
    recordedAtMs: row.recorded_ms,
    version: row.version,
    id: row.id,
    type: row.type === before?.type ? before.type : row.type,
    tenant: row.tenant === before?.tenant ? before.tenant : row.tenant,
    source: row.source === before?.source ? before.source : row.source,
    subject: row.subject,
    key: row.key,
    traceparent: row.traceparent,
    correlationId: row.correlation_id === row.id ? row.id : row.correlation_id,
    causationId: row.causation_id,
    claim: row.claim,
    extensions: row.extensions,
    data: row.data,
  }
}

/** The copy that a dead letter or a redriven delivery keeps: a StoredEvent as JSON, its body still JSON text. */
export const copyOfEvent = (event: StoredEvent): string => JSON.stringify(event)
export const eventOfCopy = (copy: string): StoredEvent => JSON.parse(copy) as StoredEvent
