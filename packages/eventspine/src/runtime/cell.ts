// One database with everything that runs against it in this process: appending, delivering, housekeeping.
import { Appender, type AppendLimits, type ClaimPort } from '../append/index.js'
import { Capacity, selectionOf, typesOf } from '../deliver/index.js'
import { type Preparation, prepare } from '../event/index.js'
import { Runner, type RunnerServices } from '../handle/index.js'
import type { Clock, Random } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import { Scheduler, type Timetable } from '../schedule/index.js'
import type { TablePlan } from '../source/index.js'
import type { Retention, Store, SubscriptionRecord } from '../store/store.js'
import { type Post, Sender } from '../webhook/index.js'
import { isStimulus, Sleepers, WorkflowEngine, workflowOf } from '../workflow/index.js'
import type { App } from './app.js'
import { registerContracts } from './contracts.js'
import { Redriving } from './redriving.js'
import { Replication } from './replication.js'
import { Replies } from './replies.js'
import { reportTables } from './table-sources.js'
import { Worker } from './worker.js'
import { WorkflowEnds } from './workflow-ends.js'

export interface CellServices {
  readonly name: string
  readonly app: App
  /** Those whose tenant lives here. */
  readonly timetables: readonly Timetable[]
  /** Tables in this database whose changes are events. */
  readonly tables: readonly TablePlan[]
  readonly store: Store
  readonly claim: ClaimPort
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  readonly preparation: Preparation
  readonly limits: AppendLimits
  readonly retention: Retention
  readonly capacity: Capacity
  readonly migrate: boolean
  /** The contracts of its events, before anything else. */
  readonly registers: boolean
  /** Makes what the app itself needs in this database. */
  prepare(): Promise<void>
  readonly work: boolean
  readonly shutdownMs: number
  /** Tries a kept message of a source again. */
  readonly retranslate: RunnerServices['retranslate']
  /** Sends messages of webhooks. */
  readonly post: Post
  /** Removes bodies from the object store that no cell needs any more. */
  expireClaims(): Promise<void>
}

const makeRoomEveryMs = 10_000
/** Of these, one is all of the housekeeping. */
const maintainEvery = 6
const expireEveryMs = 3_600_000
const markEveryEvents = 1_000
/** Beyond what handlers are given: outcomes are recorded and leases given back. */
const stopMarginMs = 7_000
/** After publish(tx, …) nobody knows when the caller commits: readers look again at these moments. */
const commitGuessesMs = [3, 15, 50, 120]

export class Cell {
  readonly #services: CellServices
  readonly appender: Appender
  readonly runner: Runner
  readonly workflowEnds: WorkflowEnds
  readonly replies: Replies
  readonly #engine: WorkflowEngine
  readonly #sleepers: Sleepers
  readonly #scheduler: Scheduler
  readonly #redriving: Redriving
  readonly #replication: Replication
  #worker: Worker | undefined
  /** Appended since this process made a tick. */
  #unmarked = 0
  #marking = false
  #rounds = 0
  readonly #stop = new AbortController()
  #closed = false
  #loops: Promise<unknown> = Promise.resolve()
  #starting: Promise<void> | undefined
  #state: 'new' | 'running' | 'stopped' = 'new'

  constructor(services: CellServices) {
    const { store, claim, clock, limits, random, logger, preparation, app } = services
    this.#services = services
    this.appender = new Appender({
      ...{ port: store, claim, limits, clock, isAlarm: alarmsOf(app) },
      appended: (events) => this.#appended(events),
    })
    this.workflowEnds = new WorkflowEnds(store, clock)
    this.replies = new Replies(store, clock, (error) =>
      logger.warn('replies were not looked for; trying again', { cell: this.name, error }),
    )
    this.#sleepers = new Sleepers({
      ...{ port: store, clock, random, logger },
      published: () => this.#appended(0),
      failed: (error) =>
        logger.warn('timers of workflows were not looked at; trying again', { cell: this.name, error }),
    })
    this.#scheduler = new Scheduler(services.timetables, {
      ...{ port: store, clock, random, logger, tenant: preparation.tenant },
      published: () => this.#appended(0),
    })
    this.#redriving = new Redriving({
      clock,
      advance: () => store.advanceRedrives(),
      failed: (error) =>
        logger.warn('redrives were not looked after; trying again', { cell: this.name, error }),
    })
    this.#replication = new Replication(services.tables, {
      ...{ port: store, clock, logger },
      appended: (events) => this.#appended(events),
    })
    this.#engine = new WorkflowEngine(app.workflows, {
      ...{ port: store, clock, random, logger },
      prepare: (definition, data, options) => prepare(definition, data, options, preparation),
      checkIn: (event) => this.appender.checkIn(event),
      ...{ claim, softLimitBytes: limits.softLimitBytes },
      show: (event, cancellation) => this.runner.shown(event, cancellation),
      wakeIn: (ms) => this.#sleepers.wakeIn(ms),
      append: (events) => store.append(events),
      published: () => this.#appended(0),
      ended: (name, end) => this.workflowEnds.ended(name, end),
    })
    const sender = new Sender({
      ...{ webhooks: app.webhooks, port: store, clock, random, logger, post: services.post },
      published: () => this.#appended(0),
    })
    this.runner = new Runner({
      registry: app.registry,
      clock,
      random,
      logger,
      preparation,
      drive: (workflow, drive) => this.#engine.drive(workflow, drive),
      retranslate: services.retranslate,
      sendWebhook: (webhooks, event, context) => sender.send(webhooks, event, context),
      fetchBody: (reference) => claim.get(reference),
      checkIn: (event) => this.appender.checkIn(event),
    })
  }

  get name(): string {
    return this.#services.name
  }

  get store(): Store {
    return this.#services.store
  }

  get tables(): readonly TablePlan[] {
    return this.#services.tables
  }

  get claim(): ClaimPort {
    return this.#services.claim
  }

  get worker(): Worker | undefined {
    return this.#worker
  }

  /** Safe to call twice. What fails is tried whole by the next call: a cell counts as running once all of it runs. */
  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    return this.#starting
  }

  async #start(): Promise<void> {
    if (this.#state !== 'new') return
    const { store, work, migrate, registers, logger } = this.#services
    if (migrate) {
      const applied = await store.migrate()
      if (applied.length > 0) logger.info('migrated', { cell: this.name, migrations: applied })
      await store.alone('prepare', () => this.#services.prepare())
    }
    await store.open()
    if (registers) await registerContracts(store, this.#services.app)
    if (work) {
      await reportTables(store, this.#services.app, this.#services.tables, logger)
      await this.#work()
    }
    this.#state = 'running'
  }

  async #work(): Promise<void> {
    const { store, app, retention } = this.#services
    const register = (subscriptions: App['subscriptions']) =>
      store.register(subscriptions.map((each) => recordOf(each, app)))
    await store.maintain(retention)
    const { runner } = this
    const worker = new Worker({
      ...this.#services,
      subscriptions: app.subscriptions,
      register: (names) => register(app.subscriptions.filter(({ name }) => names.includes(name))),
      build: app.build,
      runner,
      wakeRemote: true,
      unhinted: this.#services.tables.some(({ through, notify }) => through === 'trigger' && !notify),
      hinted: (by) => this.#redriving.hinted(by),
      appended: () => this.replies.hinted(),
    })
    try {
      await worker.announce()
      await register(app.subscriptions)
      this.#worker = worker
      await worker.start()
      if (app.workflows.length > 0) this.#sleepers.start()
      await this.#scheduler.start()
      this.#redriving.start()
      this.#replication.start()
    } catch (error) {
      this.#worker = undefined
      await Promise.all([
        worker.stop(),
        this.#sleepers.stop(),
        this.#scheduler.stop(),
        this.#redriving.stop(),
        this.#replication.stop(),
      ])
      // One that did not come so far has said only what it would run.
      await store.removeWorker(worker.id).catch(() => {})
      throw error
    }
    this.#loops = Promise.all([
      this.#every(makeRoomEveryMs, () => this.#keepHouse()),
      this.#every(expireEveryMs, () => this.#services.expireClaims()),
    ])
  }

  async #keepHouse(): Promise<void> {
    const { store, retention } = this.#services
    await (++this.#rounds % maintainEvery === 0 ? store.maintain(retention) : store.makeRoom(retention))
  }

  async #every(ms: number, action: () => Promise<unknown>): Promise<void> {
    const { clock, logger } = this.#services
    while (!this.#stop.signal.aborted) {
      await clock.sleep(ms, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      await action().catch((error) =>
        logger.warn('housekeeping failed; trying again', { cell: this.name, error }),
      )
    }
  }

  #appended(events: number): void {
    if (this.#closed) return
    if (this.#worker !== undefined) return this.#worker.wake()
    this.replies.hinted()
    this.#mark(events)
    this.#services.store.notify('publisher')
  }

  // Who only publishes makes ticks now and then: else all that is published while nobody works is one, and a worker that
  // comes back sorts the whole of it before it has the first.
  #mark(events: number): void {
    this.#unmarked += events
    if (this.#unmarked < markEveryEvents || this.#marking) return
    this.#unmarked = 0
    this.#marking = true
    const over = () => {
      this.#marking = false
    }
    void this.#services.store.tick(Number.MAX_SAFE_INTEGER, 1).then(over, over)
  }

  /** Events were appended beside the appender. */
  appended(events: number): void {
    this.#appended(events)
  }

  /** Something was inserted in a transaction that is not ours. */
  appendedWithin(): void {
    this.#unmarked++
    for (const ms of commitGuessesMs) this.#services.clock.after(ms, () => this.#appended(0))
  }

  /** Drains: handlers end, outcomes are recorded, leases are given back. */
  async stop(): Promise<void> {
    // Another cell may have failed to start, while this one still does.
    await this.#starting?.catch(() => {})
    if (this.#state === 'stopped') return
    const wasRunning = this.#state === 'running'
    this.#state = 'stopped'
    this.#stop.abort()
    const { clock, store, shutdownMs } = this.#services
    // Beside each other: the handlers' time to end is theirs, however long publishing takes.
    const stopping = Promise.all([
      wasRunning && this.appender.drain(),
      this.#worker?.stop(),
      this.#sleepers.stop(),
      this.#scheduler.stop(),
      this.#redriving.stop(),
      this.#replication.stop(),
    ])
    this.workflowEnds.stop()
    this.replies.stop()
    // What waits for a database that answers nothing fails once its connections are closed.
    const cancel = clock.after(shutdownMs + stopMarginMs, () => void store.close())
    await stopping
    await this.#loops
    cancel()
    this.#closed = true
    await store.close()
  }
}

function recordOf(
  subscription: App['subscriptions'][number],
  { name: app, build, events }: App,
): SubscriptionRecord {
  const {
    name,
    priority,
    shards,
    start,
    deadlineMs,
    leaseMs,
    ordered,
    concurrencyMax,
    rate,
    breaker,
    filter,
    external,
    batchEventsMax,
    batchBytesMax,
  } = subscription
  return {
    name,
    app,
    on: typesOf(subscription),
    priority,
    shards,
    start,
    selection: selectionOf(subscription),
    build,
    policies: {
      reads: readsOf(subscription, events),
      start: start instanceof Date ? start.toISOString() : start,
      deadlineMs,
      leaseMs,
      ordered,
      concurrency: concurrencyMax,
      external,
      transactional: subscription.transactional,
      batchEventsMax,
      batchBytesMax,
      attemptsMax: subscription.retry.attemptsMax,
      ...(rate === undefined ? {} : { rate }),
      ...(breaker === undefined ? {} : { breaker }),
      ...(filter === undefined ? {} : { filter: filter.pattern }),
    },
  }
}

/** Of each event that it takes, the newest version that its app knows: what is newer waits. */
function readsOf({ matches }: App['subscriptions'][number], events: App['events']): Record<string, number> {
  const taken = events.filter(({ type }) => matches(type)).sort((a, b) => a.version - b.version)
  return Object.fromEntries(taken.map(({ type, version }) => [type, version]))
}

function alarmsOf({ subscriptions, workflows }: App): (type: string) => boolean {
  const alarms = subscriptions.filter(({ priority }) => priority === 'alarm')
  // What moves a workflow of another app on may be an alarm there: its code would say so, and is not here.
  const isOfAnother = (type: string) =>
    isStimulus(type) && workflows.every(({ name }) => name !== workflowOf(type))
  const known = new Map<string, boolean>()
  return (type) => {
    let is = known.get(type)
    if (is === undefined)
      known.set(type, (is = isOfAnother(type) || alarms.some(({ matches }) => matches(type))))
    return is
  }
}
