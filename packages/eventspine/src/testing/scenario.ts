// given / when / then over a tracked run: the app's own functions, the real stages, an in-memory store and a clock
// that moves only when everything has been done. A retry in five minutes costs no time; the same seed gives the same run.
import { reservedPrefix } from '../event/index.js'
import type { EventView } from '../inspect/view.js'
import { EventspineError, seededRandom } from '../kernel/index.js'
import { VirtualClock } from '../kernel/virtual-clock.js'
import { type Logger, silentLogger } from '../observe/log.js'
import type { App } from '../runtime/app.js'
import { Eventspine } from '../runtime/eventspine.js'
import type { WorkflowDetails } from '../runtime/workflow-options.js'
import { Scheduler } from '../schedule/index.js'
import {
  createMemoryClaims,
  createMemoryStore,
  type MemoryQuery,
  type MemoryStore,
} from '../store/memory/index.js'
import type { Answer, Posting } from '../webhook/index.js'
import type { Happening } from './happening.js'
import type { SideEffect, SideEffects } from './side-effects.js'

export interface DeadLetterSeen {
  readonly subscription: string
  readonly category: string
  readonly message: string
  readonly attempts: number
  readonly event: { readonly type: string; readonly data: unknown }
}

/** What followed from `when`, once all is quiet. */
export interface Outcomes {
  /** Events that handlers published, in log order; those of `when` itself are not among them. */
  readonly published: readonly { readonly type: string; readonly data: unknown }[]
  /** What the handlers did to the world, as far as it went through `sideEffects()`. */
  readonly sideEffects: readonly SideEffect[]
  readonly deadLetters: readonly DeadLetterSeen[]
  /** All instances, oldest first, as far as they came: those that wait for nobody but the world outside stand still. */
  readonly workflows: readonly WorkflowDetails[]
  /** Virtual milliseconds that it took. */
  readonly elapsedMs: number
}

export interface ScenarioOptions {
  readonly sideEffects?: SideEffects
  /** Default 1. */
  readonly seed?: number
  /** Wall time at the start. Default 2026-01-01. */
  readonly start?: Date
  /** Virtual time after which a run that is not quiet fails. Default 400 days. */
  readonly timeoutMs?: number
  readonly logger?: Logger
  /** Real milliseconds that virtual time stands still for a handler or a step that awaits the real world, such as a database. One
   *  that never ends holds each of its attempts up for so long. Default 200. */
  readonly realMsMax?: number
  /** Whether schedules and reconcilers come round as time passes. Each of their ticks is gone through: of one that ticks every minute
   *  a virtual day is 1,440. Leave them out where they are not what is tested. Default true. */
  readonly timetables?: boolean
  /** Answers the SQL of transactional handlers. */
  readonly query?: MemoryQuery
  /** The status that an endpoint of webhooks answers: no message leaves the test. Default 204. Each is a side effect `webhook`
   *  with `{ url, id, body }`. */
  readonly endpoint?: (url: string, body: unknown) => number
}

const day = 86_400_000
const timeoutDays = 400
/** In so much time somebody looks for what is due. */
const lookMs = 1_000
const pageItemsMax = 500
/** Turns of the event loop that real input and output in a handler is given before virtual time moves on. */
const macrotaskTurns = 2
const realMsMaxDefault = 200

export class Scenario {
  readonly #spine: Eventspine
  readonly #clock: VirtualClock
  readonly #store: MemoryStore
  /** Never started: asked when the next tick is due. */
  readonly #scheduler: Scheduler
  readonly #options: ScenarioOptions
  readonly #given: Happening[] = []
  readonly #when: Happening[] = []

  constructor(given: App, options: ScenarioOptions = {}) {
    this.#options = options
    const app = options.timetables === false ? { ...given, timetables: [] } : given
    this.#clock = new VirtualClock({
      macrotaskTurns,
      holdMsMax: options.realMsMax ?? realMsMaxDefault,
      ...(options.start === undefined ? {} : { startMs: options.start.getTime() }),
    })
    const clock = this.#clock
    const random = seededRandom(options.seed ?? 1)
    const idempotencyWindowMs = 7 * day
    const store = createMemoryStore({
      clock,
      random,
      idempotencyWindowMs,
      ...(options.query === undefined ? {} : { query: options.query }),
    })
    this.#store = store
    this.#scheduler = new Scheduler(app.timetables, {
      ...{ port: store, clock, random, logger: silentLogger, tenant: '', published: () => {} },
    })
    this.#spine = new Eventspine(
      app,
      {
        ...{
          databaseUrl: 'memory:',
          idempotencyWindowMs,
          stalledMs: 0,
          logger: options.logger ?? silentLogger,
          personalKeys: [Buffer.alloc(32).toString('base64')],
        },
        // What they connect to is no part of a test.
        sources: false,
      },
      {
        ...{ clock, random, post: (posting) => this.#post(posting) },
        storeOf: () => ({ store, claim: createMemoryClaims(clock) }),
      },
    )
  }

  /** What happened before, handled to its end; no part of what `then` sees. */
  given(...happenings: readonly (Happening | readonly Happening[])[]): this {
    this.#given.push(...happenings.flat())
    return this
  }

  /** What happens now. */
  when(...happenings: readonly (Happening | readonly Happening[])[]): this {
    this.#when.push(...happenings.flat())
    return this
  }

  /** Runs until all cascaded work is quiet, retries included, and hands over what followed. Being a `then`, it also
   *  serves `const { published } = await scenario(app).when(…)`. */
  then<Result, Failed = never>(
    check: (outcomes: Outcomes) => Result | Promise<Result>,
    failed?: (reason: unknown) => Failed | Promise<Failed>,
  ): Promise<Result | Failed> {
    const run = this.#run(check)
    return failed === undefined ? run : run.catch(failed)
  }

  async #run<Result>(check: (outcomes: Outcomes) => Result | Promise<Result>): Promise<Result> {
    await this.#drive(this.#spine.start())
    try {
      await this.#publish(this.#given)
      await this.#quiet()
      this.#options.sideEffects?.take()
      const before = new Set([...(await this.#events()), ...(await this.#letters())].map((each) => each.id))
      const began = this.#clock.monotonic()
      const own = await this.#publish(this.#when)
      await this.#quiet()
      return await check(await this.#outcomes(new Set([...before, ...own]), this.#clock.monotonic() - began))
    } finally {
      await this.#drive(this.#spine.stop())
    }
  }

  async #outcomes(known: ReadonlySet<string>, elapsedMs: number): Promise<Outcomes> {
    const events = (await this.#events()).filter(
      ({ id, type }) => !known.has(id) && !type.startsWith(reservedPrefix),
    )
    const letters = (await this.#letters()).filter((letter) => !known.has(letter.id))
    return {
      workflows: await this.#workflows(),
      published: events.map(({ type, data }) => ({ type, data })),
      sideEffects: this.#options.sideEffects?.take() ?? [],
      deadLetters: letters.map(({ subscription, failure, attempts, event }) => ({
        subscription,
        category: failure.category,
        message: failure.message,
        attempts,
        event: { type: event.type, data: event.data },
      })),
      elapsedMs,
    }
  }

  async #publish(happenings: readonly Happening[]): Promise<string[]> {
    const ids: string[] = []
    for (const { happen, waitMs } of happenings) {
      if (waitMs === undefined) ids.push(...(await this.#drive(happen(this.#spine))))
      else await this.#pass(waitMs)
    }
    return ids
  }

  // All pages, oldest first.
  async #events(): Promise<EventView[]> {
    const all: EventView[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await this.#spine
        .operator()
        .events({ limit: pageItemsMax, ...(cursor === undefined ? {} : { cursor }) })
      all.push(...page.items)
      cursor = page.cursor
    }
    return all.reverse()
  }

  async #workflows(): Promise<WorkflowDetails[]> {
    const { items } = await this.#spine.workflows.list({ limit: pageItemsMax })
    const shown = await Promise.all(
      items.map(({ workflow, id, tenant }) => this.#spine.workflows.show(workflow, id, { tenant })),
    )
    return shown.filter((each) => each !== null).reverse()
  }

  // An instance that sleeps goes on by itself; its deadline alone is no reason to wait.
  async #wakeAtMs(): Promise<number | null> {
    const { items } = await this.#store.workflows({ state: 'open', limit: pageItemsMax })
    const times = items.flatMap(({ wakeAtMs, attention }) =>
      wakeAtMs === null || attention !== null ? [] : [wakeAtMs],
    )
    return times.length === 0 ? null : Math.min(...times)
  }

  /** Time goes by: from one thing that is due to the next, and to the end. */
  async #pass(ms: number): Promise<void> {
    const endsAtMs = this.#clock.now() + ms
    for (let leftMs = ms; leftMs > 0; leftMs = endsAtMs - this.#clock.now()) {
      await this.#clock.runUntil(() => this.#handled(), leftMs)
      const dueInMs = [await this.#store.nextWakeMs(), await this.#scheduler.nextTickMs(), leftMs]
      const soonest = Math.min(...dueInMs.filter((each) => each !== null))
      await this.#leapTo(Math.min(endsAtMs, this.#clock.now() + soonest))
    }
  }

  // Nothing but time is awaited: the engine's own rounds in between would change nothing, and take a minute for a month.
  async #leapTo(timeMs: number): Promise<void> {
    const ms = timeMs - this.#clock.now()
    if (ms > 0) {
      this.#store.leap(ms)
      this.#clock.shiftWall(ms)
    }
    await this.#clock.advance(lookMs)
  }

  async #post({ url, headers, body }: Posting): Promise<Answer> {
    const { endpoint = () => 204, sideEffects } = this.#options
    const content: unknown = JSON.parse(Buffer.from(body).toString())
    sideEffects?.record('webhook', { url: url.href, id: headers['webhook-id'], body: content })
    const status = endpoint(url.href, content)
    return { status, retryAfter: undefined, location: undefined, body: '' }
  }

  async #letters() {
    return [...(await this.#spine.operator().deadLetters({ limit: pageItemsMax })).items].reverse()
  }

  async #quiet(): Promise<void> {
    const timeoutMs = this.#options.timeoutMs ?? timeoutDays * day
    const endsAtMs = this.#clock.now() + timeoutMs
    while (await this.#clock.runUntil(() => this.#handled(), Math.max(0, endsAtMs - this.#clock.now()))) {
      const wakeAtMs = await this.#wakeAtMs()
      if (wakeAtMs === null) return
      if (wakeAtMs > endsAtMs) break
      await this.#leapTo(wakeAtMs)
    }
    const busy = (await this.#spine.operator().subscriptions()).filter(
      ({ lagEvents, retrying }) => lagEvents > 0 || retrying > 0,
    )
    throw new EventspineError(
      'UNAVAILABLE',
      `Not quiet after ${timeoutMs} ms of virtual time: ${busy.map(({ name, lagEvents, retrying }) => `${name} is ${lagEvents} events behind and retries ${retrying}`).join('; ')}. A handler that always publishes what it handles never ends.`,
    )
  }

  // Rows that wait behind a dead letter of their key wait for an operator: that is quiet, too.
  async #handled(): Promise<boolean> {
    const subscriptions = await this.#spine.operator().subscriptions()
    return (
      subscriptions.every(({ lagEvents, retrying }) => lagEvents === 0 && retrying === 0) ||
      (await this.#haltedOnly())
    )
  }

  async #haltedOnly(): Promise<boolean> {
    const { subscriptions } = await this.#spine.operator().doctor()
    if (subscriptions.some(({ lagEvents }) => lagEvents > 0)) return false
    const events = await this.#events()
    const details = await Promise.all(events.map((event) => this.#spine.operator().event(event.id)))
    return details.every((detail) =>
      detail?.deliveries.every(
        ({ state }) => state !== 'retry' && state !== 'running' && state !== 'pending',
      ),
    )
  }

  // Moves virtual time until `work` has ended.
  async #drive<Result>(work: Promise<Result>): Promise<Result> {
    let ended = false
    const done = work.finally(() => {
      ended = true
    })
    done.catch(() => {})
    await this.#clock.runUntil(() => ended, day)
    return done
  }
}

/** `await scenario(app).given(…).when(publishing(orderPlaced, { … })).then(({ published }) => expect(published)…)` */
export function scenario(app: App, options: ScenarioOptions = {}): Scenario {
  return new Scenario(app, options)
}
