// Delivery for one cell in one process: where the stages meet. Reads down as an event travels: tail, feed, consumer,
// handler, settlement.
import { hostname } from 'node:os'
import {
  BreakerBoard,
  Capacity,
  Consumer,
  type ConsumerServices,
  Feed,
  type Lease,
  LeaseKeeper,
  type ResolvedSubscription,
  RetryClaimer,
  Tail,
  type WorkerRow,
} from '../deliver/index.js'
import type { StoredEvent } from '../event/stored.js'
import { eventFor, outcomes, type Runner } from '../handle/index.js'
import { type Clock, EventspineError, hash32, isOwnFault, type Random, uuidv7 } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import { Settler } from '../settle/index.js'
import type { Store } from '../store/store.js'
import { isDead, ownIdentity } from './identity.js'
import { version } from './version.js'

export interface WorkerServices {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  readonly runner: Runner
  readonly subscriptions: readonly ResolvedSubscription[]
  readonly capacity: Capacity
  readonly shutdownMs: number
  readonly build: number
  /** Registers the app's definitions of these. */
  readonly register: (subscriptions: readonly string[]) => Promise<void>
  /** Told of each finished round of maintenance by anyone; maintenance itself belongs to the cell. */
  readonly wakeRemote: boolean
  /** Something appends here that tells nobody. */
  readonly unhinted: boolean
  /** A hint came, from `by`: a worker, or whatever else tells of something. */
  readonly hinted: (by: string) => void
  /** Something was appended, by this process or another. */
  readonly appended: () => void
}

const complaintEveryMs = 10_000

export class Worker {
  readonly id: string
  readonly #services: WorkerServices
  readonly #feed: Feed
  readonly #tail: Tail
  readonly #keeper: LeaseKeeper
  readonly #claimer: RetryClaimer
  readonly #breakers: BreakerBoard
  readonly #normal: Settler<Consumer>
  readonly #alarms: Settler<Consumer>
  readonly #filtered = new WeakMap<StoredEvent, Promise<unknown>>()
  #stopListening: (() => Promise<void>) | undefined
  #state: 'new' | 'running' | 'stopped' = 'new'
  #hinted = false
  #complainedAt = Number.NEGATIVE_INFINITY

  constructor(services: WorkerServices) {
    const { store, clock, random, subscriptions } = services
    this.#services = services
    const host = hostname()
    this.id = `${host}-${process.pid}-${uuidv7(clock, random).slice(-6)}`
    this.#feed = new Feed(store)
    this.#breakers = new BreakerBoard(store, clock, () => this.#pumpAll())
    this.#normal = this.#settler('normal')
    this.#alarms = this.#settler('alarm')
    const failed = (error: unknown) => this.#complain(error)
    this.#tail = new Tail({
      feed: this.#feed,
      clock,
      failed,
      hinted: () => this.#hinted,
      advanced: () => this.#pumpAll(),
      tended: () => this.#tendAll(),
    })
    this.#claimer = new RetryClaimer({ port: store, clock, failed, consumers: () => this.#keeper.consumers })
    const identity = ownIdentity()
    const startedAtMs = clock.now()
    const row = (): WorkerRow => ({
      id: this.id,
      identity,
      host,
      processId: process.pid,
      version,
      startedAtMs,
      heartbeatAtMs: clock.now(),
      consumers: 0,
      running: runningOf(this.#keeper.consumers),
    })
    this.#keeper = new LeaseKeeper({
      port: store,
      clock,
      worker: row,
      subscriptions: new Map(subscriptions.map((subscription) => [subscription.name, subscription])),
      deadWorkers: (workers) =>
        workers
          .filter((worker) => worker.id !== this.id && isDead(worker.identity))
          .map((worker) => worker.id),
      granted: async (lease) => this.#consumer(lease),
      superseded: (names) =>
        services.logger.info(
          'another version of the app defines these subscriptions otherwise, and runs them now',
          {
            subscriptions: names,
          },
        ),
      register: services.register,
      build: services.build,
      failed,
    })
  }

  get consumers(): readonly Consumer[] {
    return this.#keeper.consumers
  }

  /** Says what it runs, before that is registered. */
  announce(): Promise<void> {
    return this.#keeper.announce()
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') return
    this.#state = 'running'
    await this.#feed.start()
    this.#breakers.start(this.#services.subscriptions.flatMap(({ breaker }) => breaker ?? []))
    if (this.#services.wakeRemote)
      this.#stopListening = await this.#services.store.listen((by) => {
        // Some poolers take LISTEN and pass nothing on: what was heard since it connected is proof.
        this.#hinted = by !== '' && !this.#services.unhinted
        this.#services.hinted(by)
        this.#services.appended()
        // Of what its own process appended it has heard.
        if (by !== this.id) this.#tail.ring()
      })
    await this.#keeper.start()
    this.#tail.start()
    this.#claimer.start()
  }

  /** Something was appended by this process. Hints nobody where nobody else works: a worker that has just started looks
   *  often by itself, and is heard of at the next heartbeat. */
  wake(): void {
    this.#tail.ring()
    this.#services.appended()
    if (!this.#keeper.alone) this.#services.store.notify(this.id)
  }

  /** Drains and gives every lease back. */
  async stop(): Promise<void> {
    if (this.#state !== 'running') return
    this.#state = 'stopped'
    // What a claim that is on its way brings is given back.
    await Promise.all([this.#claimer.stop(), this.#keeper.stop(this.#services.shutdownMs)])
    this.#normal.stop()
    this.#alarms.stop()
    await Promise.all([this.#tail.stop(), this.#breakers.stop(), this.#stopListening?.()])
  }

  #pumpAll(): void {
    for (const consumer of this.#keeper.consumers) consumer.pump()
  }

  #tendAll(): void {
    for (const consumer of this.#keeper.consumers) {
      if (consumer.finished) void this.#keeper.giveBack(consumer, 0)
      else void consumer.tend().catch((error) => this.#complain(error))
    }
  }

  #settler(priority: 'alarm' | 'normal'): Settler<Consumer> {
    const { store, clock, metrics } = this.#services
    return new Settler({
      port: store,
      worker: this.id,
      priority,
      clock,
      lost: (consumer) => this.#lost(consumer),
      flushed: (_settlements, ms) => metrics.settled(ms),
      failed: (error) => this.#complain(error),
    })
  }

  #lost(consumer: Consumer): void {
    this.#services.metrics.leaseLost(consumer.subscription.name)
    this.#services.logger.warn('lease lost', {
      subscription: consumer.subscription.name,
      shard: consumer.lease.shard,
    })
    this.#keeper.lost(consumer)
  }

  #consumer(lease: Lease): Consumer {
    const { store, clock, random, capacity, subscriptions, metrics, runner } = this.#services
    const subscription = subscriptions.find(
      (each) => each.name === lease.subscription,
    ) as ResolvedSubscription
    const services: ConsumerServices = {
      worker: this.id,
      clock,
      random,
      feed: this.#feed,
      breakers: this.#breakers,
      capacity,
      retry: store,
      settle: store,
      outcomes,
      metrics,
      handle: (work, done) => runner.run(work, done),
      flush: (consumer, soon) =>
        (subscription.priority === 'alarm' ? this.#alarms : this.#normal).flush(consumer, soon),
      dueIn: (ms) => this.#claimer.dueIn(ms),
      mayStart: (consumer) => this.#keeper.mayStart(consumer),
      freed: (consumer) => {
        this.#claimer.freed(consumer)
        capacity.offer()
      },
      published: () => this.wake(),
      failed: (error) => this.#complain(error),
      lost: (consumer) => this.#lost(consumer),
    }
    return new Consumer(lease, subscription, (event) => this.#wants(subscription, lease, event), services)
  }

  #wants(subscription: ResolvedSubscription, lease: Lease, event: StoredEvent): boolean | Promise<boolean> {
    if (!subscription.matches(event.type)) return false
    if (lease.shards > 1 && hash32(event.key ?? event.id) % lease.shards !== lease.shard) return false
    const { filter } = subscription
    return filter === undefined || this.#view(event).then((view) => filter.matches(view))
  }

  // What filters see: the event as it is stored, parsed once for all of them.
  #view(event: StoredEvent): Promise<unknown> {
    let view = this.#filtered.get(event)
    if (view === undefined) {
      view = this.#body(event).then((data) => eventFor(event, data))
      this.#filtered.set(event, view)
      view.catch(() => this.#filtered.delete(event))
    }
    return view
  }

  // The object store may be a user's own: whatever it throws, it is away and not we are broken. A body that is no JSON
  // is as good as gone.
  async #body(event: StoredEvent): Promise<unknown> {
    const json = await this.#services.runner.body(event).catch((cause: unknown) => {
      if (cause instanceof EventspineError) throw cause
      throw new EventspineError('UNAVAILABLE', 'The object store did not answer.', { cause })
    })
    try {
      return JSON.parse(json)
    } catch (cause) {
      throw new EventspineError('NOT_FOUND', 'The body in the object store is no JSON.', { cause })
    }
  }

  // The store being away is said once in a while, not at every try; a fault of our own each time.
  #complain(error: unknown): void {
    if (isOwnFault(error)) {
      const { stack } = error
      this.#services.logger.error('delivery met a fault of its own and begins again: please report it', {
        error,
        stack,
      })
      return
    }
    const now = this.#services.clock.monotonic()
    if (now - this.#complainedAt < complaintEveryMs) return
    this.#complainedAt = now
    this.#services.logger.warn('the store did not answer as it should; trying again', { error })
  }
}

function runningOf(consumers: readonly Consumer[]): Record<string, number> {
  const running: Record<string, number> = {}
  for (const { subscription, lease, gate } of consumers)
    if (gate.running > 0 && lease.replay === '')
      running[subscription.name] = (running[subscription.name] ?? 0) + gate.running
  return running
}
