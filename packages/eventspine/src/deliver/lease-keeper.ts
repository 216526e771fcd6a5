// Keeps this worker's share of the consumers: heartbeats, asks for free ones, gives back what is beyond its share,
// and stops itself when it cannot renew. Only the database's clock judges expiry; the worker uses its monotonic one.
import type { Clock } from '../kernel/index.js'
import type { Consumer } from './consumer.js'
import {
  type ConsumerName,
  consumerId,
  type Lease,
  type LeasePort,
  type Standing,
  type WorkerRow,
} from './port.js'
import { type ResolvedSubscription, selectionOf } from './subscription.js'

export interface KeeperServices {
  readonly port: LeasePort
  readonly clock: Clock
  readonly worker: () => WorkerRow
  /** Of the app. */
  readonly build: number
  readonly subscriptions: ReadonlyMap<string, ResolvedSubscription>
  /** Of these workers' identities, those that are known to be dead on this machine. */
  deadWorkers(workers: readonly WorkerRow[]): readonly string[]
  granted(lease: Lease): Promise<Consumer>
  /** Another version has registered these with another choice of events: they are its own from now on. */
  superseded(subscriptions: readonly string[]): void
  /** Registers its own definitions of these again: nobody runs the others any more. */
  register(subscriptions: readonly string[]): Promise<void>
  failed(error: unknown): void
}

/** Heartbeats come so often, or three times in the shortest lease. */
const heartbeatMsMax = 1_000
/** What runs when another version takes over has so long to end. */
const handoverMsMax = 30_000
const newerAwaitedMs = 15_000

interface Held {
  readonly consumer: Consumer
  readonly leaseMs: number
  /** Monotonic time at which the last successful renewal was asked for. */
  renewedAt: number
  /** Its drain, while it is being given back. */
  leaving: Promise<void> | undefined
  /** When what runs is cut off, by the monotonic clock. */
  leavesBy: number
}

export class LeaseKeeper {
  readonly #services: KeeperServices
  readonly #held = new Map<string, Held>()
  /** The same, for the question that every start asks. */
  readonly #heldBy = new Map<Consumer, Held>()
  readonly #stop = new AbortController()
  readonly #heartbeatMs: number
  readonly #selections: Readonly<Record<string, string>>
  #superseded: ReadonlySet<string> = new Set()
  /** Since when nobody was seen to run a definition that is another's. */
  readonly #unmannedSince = new Map<string, number>()
  #registering: Promise<void> | undefined
  #unreleased: (ConsumerName & { readonly token: number })[] = []
  /** Releases on their way. */
  readonly #releasing = new Set<Promise<void>>()
  #running: Promise<void> | undefined
  #beating: Promise<void> | undefined
  #round = 0
  #alone = false

  constructor(services: KeeperServices) {
    this.#services = services
    const shortest = Math.min(...[...services.subscriptions.values()].map((each) => each.leaseMs), 30_000)
    this.#heartbeatMs = Math.min(heartbeatMsMax, shortest / 3)
    const own = [...services.subscriptions.values()].map((each) => [each.name, selectionOf(each)] as const)
    this.#selections = Object.fromEntries(own)
  }

  get consumers(): readonly Consumer[] {
    return [...this.#held.values()].map((held) => held.consumer)
  }

  /** Held, and not being given back. */
  get #staying(): Held[] {
    return [...this.#held.values()].filter(({ leaving }) => leaving === undefined)
  }

  /** At the last heartbeat no other worker had one. */
  get alone(): boolean {
    return this.#alone
  }

  /** False from half the lease time after the last renewal on. */
  mayStart(consumer: Consumer): boolean {
    const held = this.#heldBy.get(consumer)
    return held !== undefined && this.#services.clock.monotonic() - held.renewedAt < held.leaseMs / 2
  }

  /** Says what it runs, before that is registered: else an older worker would find a definition that nobody runs. */
  async announce(): Promise<void> {
    await this.#services.port.heartbeat(this.#services.worker(), this.#selections)
  }

  async start(): Promise<void> {
    if (this.#running !== undefined) return
    await this.#beat().catch((error) => this.#services.failed(error))
    this.#running = this.#loop()
  }

  async #loop(): Promise<void> {
    const { clock } = this.#services
    while (!this.#stop.signal.aborted) {
      await clock.sleep(this.#heartbeatMs, this.#stop.signal)
      if (this.#stop.signal.aborted) return
      // Not awaited: a store that does not even answer must not keep us from stopping ourselves.
      this.#beating ??= this.#beat()
        .catch((error) => this.#services.failed(error))
        .finally(() => {
          this.#beating = undefined
        })
      this.#restrain()
    }
  }

  // One round: tell that we live, renew, give up what is paused, another's or beyond our share, take what is free.
  async #beat(): Promise<void> {
    const { port, worker } = this.#services
    await this.#release()
    await this.#renew()
    const row = { ...worker(), consumers: this.#held.size }
    const standing = await port.heartbeat(row, this.#selections)
    const { workers, silent } = standing
    this.#alone = workers.length <= 1
    this.#yield(standing)
    this.#claimBack(standing)
    // Also of those whose machine was long busy with starting the next one: else their leases would have to run out.
    const deadWorkers = this.#services.deadWorkers([...workers, ...silent])
    const share = shareOf(standing, workers.filter(({ id }) => deadWorkers.includes(id)).length)
    await this.#acquire(share - this.#staying.length, deadWorkers)
    // Beyond the share only after a few rounds: a neighbour that is just starting should find something.
    if (this.#round++ % 4 === 3) await this.#rebalance(share, standing)
  }

  // What is paused, and what another version does now: that one waits, and nothing else of it begins meanwhile.
  #yield({ paused, own }: Standing): void {
    const superseded = new Set([...own].flatMap(([name, { current }]) => (current ? [] : [name])))
    for (const { consumer } of [...this.#held.values()]) {
      const { name, deadlineMs } = consumer.subscription
      if (paused.has(name)) void this.giveBack(consumer, deadlineMs)
      else if (superseded.has(name)) void this.giveBack(consumer, Math.min(deadlineMs, handoverMsMax))
    }
    const fresh = [...superseded].filter((name) => !this.#superseded.has(name))
    this.#superseded = superseded
    if (fresh.length > 0) this.#services.superseded(fresh)
  }

  // What an older build took while this one was not heard of, and what nobody runs any more as it is registered. From a
  // newer build only after a while: its one process may just be starting again.
  #claimBack({ own }: Standing): void {
    if (this.#stop.signal.aborted) return
    const { build, clock, register, failed } = this.#services
    const now = clock.monotonic()
    for (const [name, { current, manned }] of own) {
      if (current || manned) this.#unmannedSince.delete(name)
      else if (!this.#unmannedSince.has(name)) this.#unmannedSince.set(name, now)
    }
    const names = [...own].flatMap(([name, each]) => {
      const forMs = now - (this.#unmannedSince.get(name) ?? now)
      const isFree = !each.manned && (each.build <= build || forMs >= newerAwaitedMs)
      return !each.current && (each.build < build || isFree) ? [name] : []
    })
    if (names.length === 0) return
    // Beside the beat: leases are renewed whatever it waits for.
    this.#registering ??= register(names)
      .catch(failed)
      .finally(() => {
        this.#registering = undefined
      })
  }

  async #acquire(wanted: number, deadWorkers: readonly string[]): Promise<void> {
    const { port, subscriptions, worker } = this.#services
    if ((wanted <= 0 && deadWorkers.length === 0) || this.#stop.signal.aborted) return
    const leaseMs = Object.fromEntries([...subscriptions.values()].map((each) => [each.name, each.leaseMs]))
    const askedAt = this.#services.clock.monotonic()
    const asked = { worker: worker().id, leaseMs, selections: this.#selections }
    const leases = await port.acquire({ ...asked, consumersMax: Math.max(0, wanted), deadWorkers })
    // First of all: a lease that is granted and not held is nobody's until it runs out.
    for (const lease of leases) await this.#hold(lease, leaseMs[lease.subscription] ?? 30_000, askedAt)
    for (const id of deadWorkers) await port.removeWorker(id)
    await this.#release()
  }

  async #hold(lease: Lease, leaseMs: number, renewedAt: number): Promise<void> {
    const consumer = await this.#services.granted(lease)
    // Granted while we stop: nobody would give it back.
    if (this.#stop.signal.aborted) return void this.#unreleased.push(lease)
    const held: Held = {
      consumer,
      leaseMs,
      renewedAt,
      leaving: undefined,
      leavesBy: Number.POSITIVE_INFINITY,
    }
    this.#held.set(consumerId(lease), held)
    this.#heldBy.set(consumer, held)
    await consumer.start().catch((error) => {
      this.#services.failed(error)
      this.lost(consumer)
    })
  }

  // Takes what nobody took in a while, and gives back what is too much for a fair share.
  async #rebalance(share: number, { own }: Standing): Promise<void> {
    const staying = this.#staying
    const surplus = staying.length - share
    if (surplus > 0) {
      // First what most others run: what nobody else may take would lie there.
      const runnersOf = ({ consumer }: Held) => own.get(consumer.subscription.name)?.runners ?? 0
      const shared = staying.filter((held) => runnersOf(held) > 1).sort((a, b) => runnersOf(a) - runnersOf(b))
      for (const { consumer } of shared.slice(-surplus))
        void this.giveBack(consumer, consumer.subscription.deadlineMs)
      return
    }
    const consumers = [...own.values()].reduce((sum, each) => sum + (each.current ? each.consumers : 0), 0)
    if (staying.length < consumers) await this.#acquire(consumers - staying.length, [])
  }

  async #renew(): Promise<void> {
    if (this.#held.size === 0) return
    const askedAt = this.#services.clock.monotonic()
    const leases = [...this.#held.values()].map(({ consumer, leaseMs }) => ({
      ...nameOf(consumer),
      token: consumer.lease.token,
      leaseMs,
    }))
    const held = await this.#services.port.renew({ worker: this.#services.worker().id, leases })
    for (const { token, ...name } of leases) {
      const mine = this.#held.get(consumerId(name))
      if (mine?.consumer.lease.token !== token) continue
      if (held.has(consumerId(name))) mine.renewedAt = askedAt
      else this.lost(mine.consumer)
    }
  }

  // A holder that cannot renew stops before its lease is granted to another: nothing new from half its time on (see
  // mayStart), and what runs is aborted before all of it.
  #restrain(): void {
    for (const { consumer, leaseMs, renewedAt } of this.#held.values()) {
      if (this.#services.clock.monotonic() - renewedAt > leaseMs * 0.9) this.lost(consumer)
    }
  }

  /** The lease is gone or cannot be relied on. Whoever gets it next reads the cursor from the database. */
  lost(consumer: Consumer): void {
    const id = consumerId(consumer.lease)
    if (this.#held.get(id)?.consumer === consumer) this.#held.delete(id)
    this.#heldBy.delete(consumer)
    consumer.abandon()
    this.#unreleased.push({ ...nameOf(consumer), token: consumer.lease.token })
    void this.#release()
  }

  // What could not be released is tried again at the next beat: nobody else may take it before its time is over.
  async #release(): Promise<void> {
    const leases = this.#unreleased.splice(0)
    if (leases.length === 0) return
    const releasing = this.#services.port
      .release(leases)
      .catch(() => void this.#unreleased.push(...leases))
      .finally(() => this.#releasing.delete(releasing))
    this.#releasing.add(releasing)
    await releasing
  }

  /** Drains one consumer and releases its lease. */
  giveBack(consumer: Consumer, graceMs: number): Promise<void> {
    const held = this.#held.get(consumerId(consumer.lease))
    if (held?.consumer !== consumer) return Promise.resolve()
    // Asked again by a process that stops, it may have less patience.
    const leavesBy = this.#services.clock.monotonic() + graceMs
    if (held.leaving !== undefined && leavesBy < held.leavesBy) void consumer.drain(graceMs)
    held.leavesBy = Math.min(held.leavesBy, leavesBy)
    held.leaving ??= consumer.drain(graceMs).then(() => this.lost(consumer))
    return held.leaving
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    // Leases are kept alive while their last handlers end.
    const { clock, port, worker } = this.#services
    const ended = new AbortController()
    const renewing = (async () => {
      while (!ended.signal.aborted) {
        await this.#renew().catch(() => {})
        await clock.sleep(this.#heartbeatMs, ended.signal)
      }
    })()
    await Promise.all(this.consumers.map((consumer) => this.giveBack(consumer, graceMs)))
    ended.abort()
    await Promise.all([renewing, this.#running, this.#beating])
    await this.#registering
    // One that fails on its way leaves leases to be released once more.
    await Promise.all(this.#releasing)
    await this.#release()
    await port.removeWorker(worker().id).catch(() => {})
  }
}

/** Of each subscription as much as of anybody else who runs it. */
function shareOf({ own }: Standing, deadWorkers: number): number {
  let share = 0
  for (const { current, consumers, runners } of own.values())
    if (current) share += consumers / Math.max(1, runners - deadWorkers)
  return Math.ceil(share - 1e-9)
}

const nameOf = (consumer: Consumer): ConsumerName => ({
  subscription: consumer.lease.subscription,
  replay: consumer.lease.replay,
  shard: consumer.lease.shard,
})
