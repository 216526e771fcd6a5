// How long work stood still after a strike: watches the cursors of all consumers, and for each that its holder lost
// the moment at which a follower records something.

import { setTimeout as delay } from 'node:timers/promises'
import { leaseMs, type SubscriptionName } from './app.js'
import type { OwnServer } from './engine.js'

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

interface Waiting {
  readonly pid: number
  readonly subscription: SubscriptionName
  readonly at: number
  readonly token: number
  /** Of the follower when it was first seen. */
  heir: { readonly token: number; readonly revision: number } | undefined
}

/** A server that was killed and after which nothing was recorded yet. */
interface Away {
  readonly at: number
  answered: { readonly at: number; readonly revisions: number } | undefined
}

export interface Recoveries {
  /** Milliseconds, one for each consumer whose holder was struck. */
  readonly workers: readonly number[]
  /** Milliseconds from a kill of Postgres until it answered again, and from then until something was recorded. */
  readonly restarts: readonly number[]
  readonly postgres: readonly number[]
  /** Of those of the workers: how many took longer than their lease and two seconds. */
  readonly late: number
}

export class RecoveryWatch {
  readonly #server: OwnServer
  readonly #schema: string
  readonly #waiting = new Map<string, Waiting>()
  readonly #workers: number[] = []
  readonly #postgres: number[] = []
  #cursors: readonly Cursor[] = []
  #late = 0
  readonly #restarts: number[] = []
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
  workerStruck(pid: number): void {
    for (const { id, subscription, token } of this.#cursors.filter((each) => each.pid === pid))
      this.#waiting.set(id, { pid, subscription, at: performance.now(), token, heir: undefined })
  }

  /** True while nobody has recorded anything in the place of this holder for one of these subscriptions. */
  waitsFor(pid: number, subscriptions: readonly string[]): boolean {
    return [...this.#waiting.values()].some(
      (each) => each.pid === pid && subscriptions.includes(each.subscription),
    )
  }

  /** Call right after the server was killed. What waited for a follower says nothing any more. */
  postgresStruck(): void {
    this.#waiting.clear()
    this.#away = { at: performance.now(), answered: undefined }
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      await this.#look().catch(() => {})
      await delay(lookEveryMs)
    }
  }

  async #look(): Promise<void> {
    const client = await this.#server.session()
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
    if (this.#away !== undefined) this.#serverAnswered(this.#away, revisions(cursors), now)
    for (const cursor of cursors) {
      const waiting = this.#waiting.get(cursor.id)
      if (waiting === undefined || cursor.token <= waiting.token) continue
      if (waiting.heir?.token !== cursor.token) waiting.heir = cursor
      else if (cursor.revision > waiting.heir.revision) this.#recovered(cursor, now - waiting.at)
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

  /** True while the database was killed and nothing has been recorded since. */
  get away(): boolean {
    return this.#away !== undefined
  }

  #recovered({ id, subscription }: Cursor, ms: number): void {
    this.#waiting.delete(id)
    this.#workers.push(ms)
    if (ms > leaseMs[subscription] + marginMs) this.#late++
  }

  /** From now on strikes are not followed. Safe to call twice. */
  async stop(): Promise<Recoveries> {
    this.#stopping = true
    await this.#running
    return { workers: this.#workers, restarts: this.#restarts, postgres: this.#postgres, late: this.#late }
  }
}

const revisions = (cursors: readonly Cursor[]) => cursors.reduce((sum, { revision }) => sum + revision, 0)
