// One measurement of one system: its database, its processes, and the proof that what was counted did happen.
import { setTimeout as delay } from 'node:timers/promises'
import type { Part, Place, SystemName } from '../systems/system.js'
import type { Lab } from './lab.js'
import type { Progress } from './ledger.js'
import type { Flooded, Pace, Paced } from './load.js'
import { monotonicMs } from './payload.js'
import type { Percentiles } from './statistics.js'
import type { Subject } from './subject.js'

/** A measurement that does not count; it is repeated. */
export class Rejected extends Error {}

/** One process that publishes and handles, by one subscription that does nothing. */
export const wholePart: Part = {
  publishes: true,
  works: true,
  subscriptions: 1,
  transactional: false,
  handlerMs: 0,
  handlersMax: null,
  shards: 1,
}

/** Publishing: the same for all systems. */
export const publishing = { lanes: 4, batchEvents: 1_000, backlogEventsMax: 10_000 }

const pollMs = 20
/** Without any progress for so long, what is missing is lost. */
const stillMsMax = 30_000

export class Run {
  readonly #lab: Lab
  readonly #subjects: Subject[] = []

  constructor(
    lab: Lab,
    readonly system: SystemName,
    readonly place: Place,
  ) {
    this.#lab = lab
  }

  async prepare(part: Part): Promise<void> {
    const subject = this.#lab.subject()
    try {
      await subject.call('prepare', { system: this.system, place: this.place, part })
    } finally {
      await this.#lab.end(subject)
    }
  }

  /** A process of its own in this part. */
  async open(part: Part): Promise<Subject> {
    const subject = this.#lab.subject()
    this.#subjects.push(subject)
    await subject.call('open', { system: this.system, place: this.place, part })
    return subject
  }

  /** Closes the process: what it has to record is recorded. */
  async close(subject: Subject): Promise<void> {
    await this.#lab.end(subject)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#subjects.map((subject) => this.#lab.end(subject)))
  }

  /** Publishes as fast as the system takes it. `bounded`: the publishing process also handles. */
  flood(subject: Subject, eventsMax: number, seconds: number, bounded = true): Promise<Flooded> {
    const { lanes, batchEvents, backlogEventsMax } = publishing
    return subject.call('flood', {
      seconds,
      eventsMax,
      lanes,
      batchEvents: Math.min(batchEvents, Math.max(1, Math.ceil(eventsMax / lanes))),
      backlogEventsMax: bounded ? backlogEventsMax : null,
    })
  }

  /** Open loop. Throws Rejected when the generator was late. */
  async pace(subject: Subject, pace: Pace): Promise<Paced> {
    const { lateP99MsMax, lateMsMax } = this.#lab.options.scale
    const paced = await subject.call('pace', pace)
    if (paced.late.p99 > lateP99MsMax || paced.late.max > lateMsMax) {
      const { p99, max } = paced.late
      throw new Rejected(`the generator was late: p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`)
    }
    return paced
  }

  /** Waits until so many different deliveries were handled, in all of them together. Throws when some never are. */
  async handled(subjects: readonly Subject[], deliveries: number): Promise<Progress> {
    const progress = await this.awaited(subjects, deliveries, stillMsMax)
    const missing = deliveries - progress.handled
    if (missing > 0)
      throw new Error(`${this.system}: ${missing} of ${deliveries} deliveries were never handled`)
    return progress
  }

  /** Waits for so many, or until nothing more came for so long. */
  async awaited(subjects: readonly Subject[], deliveries: number, stillMs: number): Promise<Progress> {
    for (let before = -1, movedAtMs = monotonicMs(); ; ) {
      const progress = together(await Promise.all(subjects.map((subject) => subject.call('progress'))))
      if (progress.handled !== before) movedAtMs = monotonicMs()
      before = progress.handled
      if (progress.handled >= deliveries || monotonicMs() - movedAtMs > stillMs) return progress
      await delay(pollMs)
    }
  }

  /** Publishes and handles a few in these processes, and forgets them. */
  async warm(publisher: Subject, workers: readonly Subject[], part: Part): Promise<number> {
    const { warmEvents } = this.#lab.options.scale
    const { sent } = await this.flood(publisher, warmEvents, 60, workers.includes(publisher))
    await this.handled(workers, sent * part.subscriptions)
    for (const worker of workers) await worker.call('forget')
    return sent
  }

  async latencies(subject: Subject): Promise<Percentiles> {
    return subject.call('latencies')
  }

  async sql<Row>(text: string): Promise<Row[]> {
    return this.#lab.sql<Row>(this.place.databaseUrl, text)
  }

  /** For Eventspine, after its processes were closed: every event is in the log and every delivery in the history. */
  async proveHistory(events: number, deliveries: number): Promise<void> {
    if (this.system !== 'eventspine') return
    const [stored] = await this.sql<{ count: number }>('SELECT count(*)::int AS count FROM eventspine.event')
    const [runs] = await this.sql<{ count: number }>(
      'SELECT coalesce(sum(cardinality(seqs)), 0)::int AS count FROM eventspine.run',
    )
    expectCount('events in the log', stored?.count, events)
    expectCount('runs in the history', runs?.count, deliveries)
  }

  /** Each event has written its row, and written it once where that is promised. */
  async proveWritten(events: number): Promise<void> {
    const [written] = await this.sql<{ rows: number; events: number }>(
      'SELECT count(*)::int AS rows, count(DISTINCT n)::int AS events FROM public.written',
    )
    expectCount('events that wrote a row', written?.events, events)
    if (this.system === 'eventspine') expectCount('rows written', written?.rows, events)
  }
}

function expectCount(what: string, found: number | undefined, expected: number): void {
  if (found !== expected) throw new Error(`${found} ${what}, where ${expected} must be`)
}

function together(all: readonly Progress[]): Progress {
  const begun = all.filter(({ handled }) => handled > 0)
  return {
    handled: begun.reduce((sum, { handled }) => sum + handled, 0),
    repeated: all.reduce((sum, { repeated }) => sum + repeated, 0),
    firstAtMs: Math.min(...begun.map(({ firstAtMs }) => firstAtMs)),
    lastAtMs: Math.max(...begun.map(({ lastAtMs }) => lastAtMs)),
  }
}
