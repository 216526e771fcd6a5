// The two ways to publish. `flood`: as fast as the system takes it, with a bounded backlog. `pace`: open loop, at
// moments fixed beforehand, whatever the system does, as the outside world would.
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Session } from '../systems/system.js'
import type { Ledger } from './ledger.js'
import { monotonicMs, payloadOf } from './payload.js'
import { type Percentiles, percentilesOf, seeded } from './statistics.js'

export interface Flood {
  readonly seconds: number
  readonly eventsMax: number
  /** Events published and not yet handled above which publishing waits; null where nothing is handled here. */
  readonly backlogEventsMax: number | null
  readonly lanes: number
  readonly batchEvents: number
}

export interface Flooded {
  readonly sent: number
  readonly beganAtMs: number
  readonly publishedAtMs: number
}

export interface Pace {
  readonly eventsPerSecond: number
  readonly seconds: number
  readonly eventsMax: number
  readonly seed: number
}

export interface Paced {
  readonly sent: number
  /** How much later than planned the generator called, whatever the system did with the call. */
  readonly late: Percentiles
}

/** What the thread that keeps time says: when it began, which events are due, how late it was. */
type Beat = { startAtMs: number } | { from: number; to: number } | { late: Float64Array }

/** Between the first word of the thread that keeps time and the first event. */
const paceLeadMs = 50
const inFlightMsMax = 60_000

export class Load {
  readonly #session: Session
  readonly #ledger: Ledger
  readonly #subscriptions: number
  #n = 0

  constructor(session: Session, ledger: Ledger, subscriptions: number) {
    this.#session = session
    this.#ledger = ledger
    this.#subscriptions = subscriptions
  }

  async flood({ seconds, eventsMax, backlogEventsMax, lanes, batchEvents }: Flood): Promise<Flooded> {
    const beganAtMs = monotonicMs()
    const until = beganAtMs + seconds * 1000
    let sent = 0
    const lane = async () => {
      while (sent < eventsMax && monotonicMs() < until) {
        const count = Math.min(batchEvents, eventsMax - sent)
        sent += count
        if (backlogEventsMax !== null)
          await this.#ledger.reached((sent - backlogEventsMax) * this.#subscriptions)
        await this.#session.publish(this.#take(count))
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return { sent, beganAtMs, publishedAtMs: monotonicMs() }
  }

  #take(count: number) {
    const now = monotonicMs()
    return Array.from({ length: count }, () => payloadOf(this.#n++, now))
  }

  async pace({ eventsPerSecond, seconds, eventsMax, seed }: Pace): Promise<Paced> {
    const offsets = arrivals(eventsPerSecond, seconds, eventsMax, seed)
    const metronome = new Worker(new URL('./metronome.mjs', import.meta.url), {
      workerData: { offsets, leadMs: paceLeadMs },
      execArgv: [],
    })
    const publishing = new Set<Promise<void>>()
    const first = this.#n
    let startAtMs = 0
    this.#n += offsets.length
    try {
      const late = await new Promise<Float64Array>((resolve, reject) => {
        metronome.once('error', reject)
        metronome.on('message', (beat: Beat) => {
          if ('late' in beat) return resolve(beat.late)
          if ('startAtMs' in beat) {
            startAtMs = beat.startAtMs
            return
          }
          const due = Array.from(offsets.subarray(beat.from, beat.to), (offset, index) =>
            payloadOf(first + beat.from + index, startAtMs + offset),
          )
          const published = this.#session.publish(due)
          publishing.add(published)
          published.then(() => publishing.delete(published), reject)
        })
      })
      await within(Promise.all(publishing), inFlightMsMax)
      return { sent: offsets.length, late: percentilesOf(late) }
    } finally {
      await metronome.terminate()
    }
  }
}

// Poisson arrivals: events of many senders, none of which knows of the others.
function arrivals(eventsPerSecond: number, seconds: number, eventsMax: number, seed: number): Float64Array {
  const random = seeded(seed)
  const offsets: number[] = []
  const untilMs = seconds * 1000
  let at = 0
  while (offsets.length < eventsMax) {
    at += (-Math.log(1 - random()) * 1000) / eventsPerSecond
    if (at > untilMs) break
    offsets.push(at)
  }
  return Float64Array.from(offsets)
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const patience = new AbortController()
  const late = delay(ms, 'late', { signal: patience.signal }).catch(() => 'done')
  const first = await Promise.race([work.then(() => 'done'), late])
  patience.abort()
  if (first === 'late') throw new Error(`Publishing did not end within ${ms / 1000} s`)
}
