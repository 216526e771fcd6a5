// What became of the alarms that a stream implies: worked out by the plain computation, compared with what phones were given.
import { alarmsOf } from '../plain.js'
import type { PushService } from '../push-service.js'
import { momentOf, percentile } from './statistics.js'
import { type Plan, rowsOf, type Stays } from './stream.js'

export interface AlarmPoint {
  /** When the reading was sent that made it an alarm, as it was meant to be. */
  readonly atMs: number
  /** Until the push service had it; null where it never had it. */
  readonly latencyMs: number | null
}

export interface AlarmFigures {
  readonly alarms: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly late: number
  readonly lost: number
}

export const lateMs = 250

/** A stream that was told, and when it began. */
export interface Telling {
  readonly plan: Plan
  readonly startMs: number
}

/** `told`: at least one; those of the same beds one after another, since what one says of a bed goes on in the next. */
export function pointsOf(
  told: readonly [Telling, ...Telling[]],
  stays: Stays,
  received: PushService['received'],
): AlarmPoint[] {
  const first = new Map<string, number>()
  for (const { alarm, atMs } of received)
    first.set(alarm.id, Math.min(atMs, first.get(alarm.id) ?? Number.POSITIVE_INFINITY))
  const [{ startMs }] = told
  const rows = told.flatMap((each) => rowsOf(each.plan, stays, each.startMs - startMs))
  // Readings of one time came in one event, and no two events of a bed have one time.
  return [...alarmsOf(rows, startMs, 'minutes')]
    .map((id) => {
      const [atMs, receivedMs] = [momentOf(id), first.get(id)]
      return { atMs, latencyMs: receivedMs === undefined ? null : receivedMs - atMs }
    })
    .sort((one, other) => one.atMs - other.atMs)
}

/** Of those between two moments. What is lost is in no percentile, and counted beside them. */
export function figuresOf(points: readonly AlarmPoint[], fromMs: number, toMs: number): AlarmFigures {
  const within = points.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
  const known = within.flatMap(({ latencyMs }) => latencyMs ?? [])
  return {
    alarms: within.length,
    p50Ms: percentile(known, 0.5),
    p99Ms: percentile(known, 0.99),
    maxMs: percentile(known, 1),
    late: known.filter((ms) => ms > lateMs).length,
    lost: within.length - known.length,
  }
}
