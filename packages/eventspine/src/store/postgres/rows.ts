// How an event row becomes a StoredEvent, and how an event travels as JSON inside dead letters and deliveries.
import type { StoredEvent } from '../../event/stored.js'
import type { Fields } from './fields.js'

/** Columns of `event e`, in the order that `eventOfFields` knows. A correlation that is the event itself, as of all that
 *  begin one, is null on its way. */
export const eventColumns = `e.epoch, e.xid, e.seq, date_part('epoch', e.time) * 1000 AS time_ms,
  date_part('epoch', e.recorded_at) * 1000 AS recorded_ms, e.version, e.id, e.type, e.tenant, e.source,
  e.subject, e.key, e.traceparent, nullif(e.correlation_id, e.id) AS correlation_id, e.causation_id, e.claim, e.extensions, e.data`

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
  readonly correlation_id: string | null
  readonly causation_id: string | null
  readonly claim: string | null
  readonly extensions: string | null
  readonly data: string | null
}

// `date_part` counts in floating point, several times as fast as `extract`. Events are stored by the millisecond, and
// recorded by the microsecond.
const wholeMs = (ms: number) => Math.round(ms)
const wholeUs = (ms: number) => Math.round(ms * 1000) / 1000

export const eventOfRow = (row: EventRow, tick: number): StoredEvent => ({
  epoch: row.epoch,
  xid: row.xid,
  seq: row.seq,
  tick,
  timeMs: wholeMs(row.time_ms),
  recordedAtMs: wholeUs(row.recorded_ms),
  version: row.version,
  id: row.id,
  type: row.type,
  tenant: row.tenant,
  source: row.source,
  subject: row.subject,
  key: row.key,
  traceparent: row.traceparent,
  correlationId: row.correlation_id ?? row.id,
  causationId: row.causation_id,
  claim: row.claim,
  extensions: row.extensions,
  data: row.data,
})

/** The same from the columns' texts, from the one called `first` on. `before`: an event that was read just now. Its
 *  type, tenant and source are mostly the same, and then the same texts: each text less is one less for the garbage
 *  collector to carry on. */
export function eventOfFields(fields: Fields, tick: number, before?: StoredEvent, first = 0): StoredEvent {
  const text = (column: number) => fields[first + column] as string
  const textOrNull = (column: number) => fields[first + column] as string | null
  const [id, type, tenant, source] = [text(6), text(7), text(8), text(9)]
  return {
    epoch: Number(text(0)),
    xid: Number(text(1)),
    seq: Number(text(2)),
    tick,
    timeMs: wholeMs(Number(text(3))),
    recordedAtMs: wholeUs(Number(text(4))),
    version: Number(text(5)),
    id,
    type: type === before?.type ? before.type : type,
    tenant: tenant === before?.tenant ? before.tenant : tenant,
    source: source === before?.source ? before.source : source,
    subject: textOrNull(10),
    key: textOrNull(11),
    traceparent: text(12),
    correlationId: textOrNull(13) ?? id,
    causationId: textOrNull(14),
    claim: textOrNull(15),
    extensions: textOrNull(16),
    data: textOrNull(17),
  }
}

/** The copy that a dead letter or a redriven delivery keeps: a StoredEvent as JSON, its body still JSON text. */
export const copyOfEvent = (event: StoredEvent): string => JSON.stringify(event)
export const eventOfCopy = (copy: string): StoredEvent => JSON.parse(copy) as StoredEvent
