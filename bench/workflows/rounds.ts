// Runs workflows, so many in flight, one after another in each lane.
import { monotonicMs } from '../core/payload.js'
import { type Percentiles, percentilesOf } from '../core/statistics.js'
import type { WorkflowKind, WorkflowSession } from './system.js'

export interface Rounds {
  readonly kind: WorkflowKind
  readonly inFlight: number
  readonly seconds: number
  readonly max: number
}

export interface Ran {
  readonly count: number
  readonly seconds: number
  /** From the call that starts one until its end is told, in milliseconds. */
  readonly latency: Percentiles
}

let next = 0

export async function rounds(
  session: WorkflowSession,
  { kind, inFlight, seconds, max }: Rounds,
): Promise<Ran> {
  const latencies: number[] = []
  const beganAtMs = monotonicMs()
  const untilMs = beganAtMs + seconds * 1_000
  const lastOfAll = next + max
  const lane = async () => {
    while (next < lastOfAll && monotonicMs() < untilMs) {
      const startedAtMs = monotonicMs()
      await session.run(kind, next++)
      latencies.push(monotonicMs() - startedAtMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  const took = (monotonicMs() - beganAtMs) / 1_000
  return { count: latencies.length, seconds: took, latency: percentilesOf(Float64Array.from(latencies)) }
}
