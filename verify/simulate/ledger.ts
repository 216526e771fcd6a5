// What happened in one schedule, as the oracle will want to know it: publications, handler runs, settlements. Written
// while it happens, judged when it is over.
import { type ConsumerName, consumerId, type Settlement } from './engine.js'

/** One attempt of a handler, as its process saw it. */
export interface HandlerRun {
  readonly process: string
  readonly subscription: string
  readonly replay: string
  readonly seq: number
  readonly fact: string
  /** Its key, and whose. */
  readonly key: string | null
  readonly deliveryId: string
  readonly attempt: number
  readonly round: number
  readonly startedAt: number
  readonly startedMs: number
  endedAt: number | null
  outcome: 'done' | 'retry' | 'dead' | null
  /** It ended well, and died of the id under which it published. */
  conflicted: boolean
}

/** A settlement that the store recorded. */
export interface Commit {
  readonly process: string
  readonly settlement: Settlement
  readonly order: number
  readonly atMs: number
}

/** One thing that publishers say happened; the same fact may be published several times. */
export interface Fact {
  readonly name: string
  readonly tenant: string
  /** Given by the publisher. */
  readonly id: string | undefined
  /** All of a group are in the log, or none. */
  readonly group: string | undefined
  calledAt: number
  ackedAt: number | null
  acked: number
  unknown: number
}

/** Between these moments no attempt of the subscription may start. */
export interface PauseSpan {
  readonly subscription: string
  readonly ackedAt: number
  until: number
}

export interface Placement {
  readonly tick: number
  readonly seq: number
}

export class Ledger {
  readonly runs: HandlerRun[] = []
  readonly commits = new Map<string, Commit[]>()
  readonly facts = new Map<string, Fact>()
  readonly pauses: PauseSpan[] = []
  /** Cursor at the first grant of each consumer. */
  readonly starts = new Map<string, Placement>()
  /** When a person gave a dead letter up, by delivery id. */
  readonly discardedAt = new Map<string, number>()
  /** When a person stopped it, by replay. */
  readonly replaysStopped = new Map<string, number>()
  /** Before the first process came up: what is acknowledged earlier lies before "now". */
  registeringAt = Number.POSITIVE_INFINITY
  registeredAt = Number.POSITIVE_INFINITY
  readonly violations: string[] = []
  readonly #latest = new Map<string, HandlerRun>()

  violated(invariant: string, what: string): void {
    if (this.violations.length < violationsMax) this.violations.push(`${invariant}: ${what}`)
  }

  started(run: HandlerRun): void {
    this.runs.push(run)
    this.#latest.set(attemptId(run.process, run, run), run)
  }

  /** The run behind a line of the run history, if this process ever began it. */
  runOf(process: string, consumer: ConsumerName, record: Attempted): HandlerRun | undefined {
    return this.#latest.get(attemptId(process, consumer, record))
  }

  commitsOf(consumer: ConsumerName): readonly Commit[] {
    return this.commits.get(consumerId(consumer)) ?? []
  }

  fact(name: string, parts: Pick<Fact, 'tenant' | 'id' | 'group'>, calledAt: number): Fact {
    let fact = this.facts.get(name)
    if (fact === undefined) {
      fact = { name, ...parts, calledAt, ackedAt: null, acked: 0, unknown: 0 }
      this.facts.set(name, fact)
    }
    return fact
  }
}

interface Attempted {
  readonly seq: number
  readonly round: number
  readonly attempt: number
}

const violationsMax = 50

const attemptId = (
  process: string,
  { subscription, replay }: Pick<ConsumerName, 'subscription' | 'replay'>,
  run: Attempted,
) => `${process} ${subscription} ${replay} ${run.seq} ${run.round} ${run.attempt}`
