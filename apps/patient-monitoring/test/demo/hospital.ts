// All of a run: PostgreSQL as it is installed (what is committed is on disk), a worker, devices, phones at a push service that speaks
// the protocol, and somebody who watches how far behind everybody is.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EmbeddedPostgres } from '@eventspine/embedded'
import { defineApp, Eventspine } from 'eventspine'
import type pg from 'pg'
import { readingsTaken } from '../../src/events.js'
import { Ward } from '../../src/ward.js'
import { PushService } from '../push-service.js'
import { Child } from './child.js'
import type { GeneratorOrders, Shape, WorkerOrders } from './protocol.js'
import { wards } from './stream.js'

/** How a moment of a run looked. */
export interface Sample {
  readonly atMs: number
  /** Of charts, board, history and report, or of the one function: the farthest behind. */
  readonly behindEvents: number
  readonly retrying: number
  readonly dead: number
}

const sampleMs = 1_000
const settleMsMax = 60_000
const pollMs = 50
/** What stands between a reading and a person, in both shapes. */
const urgent = ['qualify', 'address', 'push', 'reading-arrived']
const watched = ['charts', 'board', 'history', 'report', 'reading-arrived']

export class Hospital {
  readonly shape: Shape
  readonly push = new PushService()
  readonly samples: Sample[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'eventspine-ward-'))
  readonly #postgres = new EmbeddedPostgres({ directory: join(this.#folder, 'postgres') })
  readonly #children: Child[] = []
  readonly #stopping = new AbortController()
  #url = ''
  #ward: Ward | undefined
  #spine: Eventspine | undefined
  #watching: Promise<void> | undefined

  private constructor(shape: Shape) {
    this.shape = shape
  }

  /** With people on duty, and no worker yet. */
  static async open(shape: Shape): Promise<Hospital> {
    const hospital = new Hospital(shape)
    try {
      await hospital.#open()
      return hospital
    } catch (error) {
      await hospital.close()
      throw error
    }
  }

  async #open(): Promise<void> {
    this.#url = (await this.#postgres.start()).url
    await this.push.start()
    this.#ward = new Ward({ databaseUrl: this.#url, pushOrigins: [this.push.origin], devices: { port: 0 } })
    // It knows no subscription: places in the log are taken by workers.
    const gateway = defineApp({ name: 'gateway', events: [readingsTaken] })
    this.#spine = new Eventspine(gateway, {
      ...{ databaseUrl: this.#url, prepare: this.#ward.prepare, work: false },
      // PostgreSQL is killed on the way: that is told of by whoever measures.
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    })
    await this.#spine.start()
    await this.#people()
  }

  get url(): string {
    return this.#url
  }

  get spine(): Eventspine {
    if (this.#spine === undefined) throw new Error('The hospital is not open')
    return this.#spine
  }

  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    if (this.#ward === undefined) throw new Error('The hospital is not open')
    return this.#ward.database.query<Row>(text, values)
  }

  /** A person of each ward, with a phone. */
  async #people(): Promise<void> {
    for (let ward = 0; ward < wards; ward += 1) {
      const person = `carer-${ward}`
      const { endpoint, keys } = this.push.subscribe(person)
      await this.query('INSERT INTO ward.duty (ward, position, person) VALUES ($1, 1, $2)', [
        `ward-${ward}`,
        person,
      ])
      await this.query(
        'INSERT INTO ward.device (id, person, endpoint, p256dh, auth) VALUES ($1, $1, $2, $3, $4)',
        [person, endpoint, keys.p256dh, keys.auth],
      )
    }
  }

  async worker(
    more: Pick<WorkerOrders, 'recordsAreBehind'> & Partial<Pick<WorkerOrders, 'brokerUrl'>>,
  ): Promise<Child> {
    const { shape, url: databaseUrl } = this
    const worker = this.#child('worker.ts', { shape, databaseUrl, pushOrigin: this.push.origin, ...more })
    await worker.says('ready')
    return worker
  }

  async generator(orders: Omit<GeneratorOrders, 'databaseUrl'>): Promise<Child> {
    const generator = this.#child('generator.ts', { databaseUrl: this.url, ...orders })
    await generator.says('ready')
    return generator
  }

  #child(program: string, orders: WorkerOrders | GeneratorOrders): Child {
    const child = new Child(program, orders)
    this.#children.push(child)
    return child
  }

  /** Notes each second how far behind everybody is. */
  watch(): void {
    this.#watching ??= this.#watch().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error
    })
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const all = (await this.spine.operator().subscriptions()).filter(({ name }) => watched.includes(name))
      this.samples.push({
        atMs: Date.now(),
        behindEvents: Math.max(0, ...all.map(({ lagEvents }) => lagEvents)),
        retrying: all.reduce((sum, { retrying }) => sum + retrying, 0),
        dead: all.reduce((sum, { dead }) => sum + dead, 0),
      })
      await sleep(sampleMs, undefined, { signal })
    }
  }

  /** Until nothing is on its way to a person any more, or nothing at all; false where that is not so in time. */
  async settled(msMax = settleMsMax, which: 'urgent' | 'all' = 'urgent'): Promise<boolean> {
    const counts = (name: string) => which === 'all' || urgent.includes(name)
    return this.#until(async () => {
      const all = await this.spine.operator().subscriptions()
      return all.every(
        ({ name, lagEvents, retrying }) => !counts(name) || (lagEvents === 0 && retrying === 0),
      )
    }, msMax).then(
      () => true,
      () => false,
    )
  }

  /** As a machine that fails would: it is started again, and goes through its log. */
  async killPostgres(): Promise<void> {
    const [row] = await this.query<{ pid: string }>(
      `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid`,
    )
    if (row === undefined) throw new Error('PostgreSQL does not say its process')
    process.kill(Number(row.pid), 'SIGKILL')
    await this.#until(async () => (await this.query('SELECT 1')).length === 1)
  }

  async #until(condition: () => Promise<boolean>, msMax = settleMsMax): Promise<void> {
    for (const until = Date.now() + msMax; ; await sleep(pollMs)) {
      // PostgreSQL may be on its way up again.
      if (await condition().catch(() => false)) return
      if (Date.now() > until) throw new Error(`Not within ${msMax} ms: ${condition.toString()}`)
    }
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#watching
    await Promise.all(this.#children.map((child) => child.kill()))
    await this.#spine?.stop()
    await this.#ward?.stop()
    await this.push.stop()
    await this.#postgres.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
