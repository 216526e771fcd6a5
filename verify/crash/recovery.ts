// How long work stood still after a strike: watches the cursors of all consumers, and for each that its holder lost
// the moment at which a follower records something.

import { setTimeout as delay } from 'node:timers/promises'
import { leaseMs } from './app.js'
import type { OwnServer } from './engine.js'
import type { SubscriptionName } from './fates.js'

const lookEveryMs = 50
/** What a follower may take beyond the lease. */
const marginMs = 2_000

interface Cursor {
  readonly id: string
  readonly subscription: SubscriptionName
  readonly token: number
  readonly revision: number
  readonly pid: number | null
}

/** How the holder was lost: it is dead, or away with its connections open. */
export type Loss = 'killed' | 'away'

interface Waiting {
  readonly pid: number
  readonly loss: Loss
  readonly subscription: SubscriptionName
  readonly at: number
  readonly token: number
  /** Of the follower when it was first seen. */
  heir: { readonly token: number; readonly revision: number } | undefined
}

/** A server that was killed and after which nothing was recorded yet. */
interface Away {
  readonly at: number
  /** Sessions of then: their processes outlive the main one by a moment, and still answer. */
  readonly sessions: number
  answered: { readonly at: number; readonly revisions: number } | undefined
}

export interface Recoveries {
  /** Milliseconds, one for each consumer whose holder was lost. */
  readonly killed: readonly number[]
  readonly away: readonly number[]
  /** Milliseconds from a kill of Postgres until it answered again, and from then until something was recorded. */
  readonly restarts: readonly number[]
  readonly postgres: readonly number[]
  /** Of those whose holder was killed: how many took longer than their lease and two seconds, or are still waited for. */
  readonly late: number
}

export class RecoveryWatch {
  readonly #server: OwnServer
  readonly #schema: string
  readonly #waiting = new Map<string, Waiting>()
  readonly #recovered: Record<Loss, number[]> = { killed: [], away: [] }
  readonly #postgres: number[] = []
  readonly #restarts: number[] = []
  #cursors: readonly Cursor[] = []
  #late = 0
  #sessions = 0
  #away: Away | undefined
  #running: Promise<void> | undefined
  #stopping = false

  constructor(server: OwnServer, schema: string) {
    this.#server = server
    this.#schema = schema
  }

  start(): void {
    this.#running ??= this.#loop()
  }

  /** Call right before the holder is struck. */
  workerStruck(pid: number, loss: Loss): void {
    for (const { id, subscription, token } of this.#cursors.filter((each) => each.pid === pid))
      this.#waiting.set(id, { pid, loss, subscription, at: performance.now(), token, heir: undefined })
  }

  /** True when this worker has one of these subscriptions. */
  holds(pid: number, subscriptions: readonly string[]): boolean {
    return this.#cursors.some((each) => each.pid === pid && subscriptions.includes(each.subscription))
  }

  /** True while one of these consumers of this holder is not in other hands, and has recorded nothing there. What holds
   *  locks while its holder is away cannot be recorded by a follower: to be granted is enough for it. */
  isMissed(pid: number, subscriptions: readonly string[], locked: string): boolean {
    return [...this.#waiting.values()].some(
      (each) =>
        each.pid === pid &&
        subscriptions.includes(each.subscription) &&
        (each.subscription !== locked || each.heir === undefined),
    )
  }

  /** Call right after the server was killed. What waited for a follower says nothing any more. */
  postgresStruck(): void {
    this.#waiting.clear()
    this.#away = { at: performance.now(), sessions: this.#sessions, answered: undefined }
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      await this.#look().catch(() => {})
      await delay(lookEveryMs)
    }
  }

  async #look(): Promise<void> {
    const client = await this.#server.session()
    this.#sessions++
    try {
      while (!this.#stopping) {
        const { rows } = await client.query<Cursor>(
          `SELECT c.subscription || '/' || c.shard AS id, c.subscription, c.token::float8 AS token,
             c.revision::float8 AS revision, w.process_id AS pid
           FROM ${this.#schema}.consumer c LEFT JOIN ${this.#schema}.worker w ON w.id = c.owner`,
        )
        this.#cursors = rows
        this.#judge(rows)
        await delay(lookEveryMs)
      }
    } finally {
      await client.end().catch(() => {})
    }
  }

  #judge(cursors: readonly Cursor[]): void {
    const now = performance.now()
    if (this.#away !== undefined && this.#sessions > this.#away.sessions)
      this.#serverAnswered(this.#away, revisions(cursors), now)
    for (const cursor of cursors) {
      const waiting = this.#waiting.get(cursor.id)
      if (waiting === undefined || cursor.token <= waiting.token) continue
      if (waiting.heir?.token !== cursor.token) waiting.heir = cursor
      else if (cursor.revision > waiting.heir.revision) this.#followed(cursor.id, waiting, now)
    }
  }

  // The first look after the server came back is what later ones are compared with.
  #serverAnswered(away: Away, sum: number, now: number): void {
    if (away.answered === undefined) {
      away.answered = { at: now, revisions: sum }
      this.#restarts.push(now - away.at)
    } else if (sum > away.answered.revisions) {
      this.#postgres.push(now - away.answered.at)
      this.#away = undefined
    }
  }

  /** Workers that hold something. */
  get holders(): number {
    return new Set(this.#cursors.flatMap(({ pid }) => (pid === null ? [] : [pid]))).size
  }

  /** True while the database was killed and nothing has been recorded since. */
  get away(): boolean {
    return this.#away !== undefined
  }

  #followed(id: string, waiting: Waiting, now: number): void {
    this.#waiting.delete(id)
    this.#recovered[waiting.loss].push(now - waiting.at)
    if (isLate(waiting, now)) this.#late++
  }

  /** Call while there is still something to deliver: who waits too long by now counts as late. */
  strikesOver(): void {
    const now = performance.now()
    for (const waiting of this.#waiting.values()) if (isLate(waiting, now)) this.#late++
    this.#waiting.clear()
  }

  /** Safe to call twice. */
  async stop(): Promise<Recoveries> {
    this.#stopping = true
    await this.#running
    const [restarts, postgres] = [this.#restarts, this.#postgres]
    return { ...this.#recovered, restarts, postgres, late: this.#late }
  }
}

const isLate = ({ loss, subscription, at }: Waiting, now: number) =>
  loss === 'killed' && now - at > leaseMs[subscription] + marginMs

const revisions = (cursors: readonly Cursor[]) => cursors.reduce((sum, { revision }) => sum + revision, 0)
