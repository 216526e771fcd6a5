// Runs operations on one store and answers what it saw, in words that do not depend on the store: events by their id,
// no transaction numbers, no moments.
import {
  consumerId,
  type Failure,
  type Lease,
  type OpenDelivery,
  orderingKeyOf,
  type SettleAnswer,
  type Settlement,
  type StoredEvent,
  type Tick,
} from '../engine.js'
import { Choices, longMs, subscriptions, tenants } from './choices.js'
import type { ModelOperation, OperationKind } from './operations.js'
import { ModelPerson } from './person.js'
import { Publishers } from './publishers.js'
import type { ModelStore } from './stores.js'
import { ModelWorkflows, type WorkflowKind } from './workflows.js'

const ticksMax = 1_000
const eventsMax = 1_000

interface Held {
  lease: Lease
  rows: OpenDelivery[]
}

type Run = (choose: Choices) => Promise<unknown>
type StageKind =
  | 'read'
  | 'acquire'
  | 'steal'
  | 'release'
  | 'renew'
  | 'settle'
  | 'settle stale'
  | 'settle again'
  | 'settle in a transaction'
  | 'claim'
  | 'unclaim'
  | 'settle rows'
  | 'keys'
  | 'promote'

export class Side {
  readonly #made: ModelStore
  readonly #publishers: Publishers
  readonly #person: ModelPerson
  readonly #held = new Map<string, Held>()
  readonly #log: StoredEvent[] = []
  readonly #ticks = new Map<number, Tick>()
  #lastSettlement: Settlement | undefined
  #knownTick = 0
  readonly #runs: Readonly<Record<OperationKind, Run>>

  constructor(made: ModelStore) {
    this.#made = made
    this.#publishers = new Publishers(made)
    this.#person = new ModelPerson(made.store)
    const lease = (choose: Choices) => this.#holding(choose)?.held.lease
    const workflows = new ModelWorkflows(made, this.#publishers, lease, this.#log)
    this.#runs = { ...this.#ofStages(), ...workflows.runs, ...this.#ofPeople() }
  }

  #ofStages(): Record<StageKind, Run> {
    return {
      read: () => this.#read(),
      acquire: (choose) => this.#acquire(`worker-${choose.between(1, 2)}`, []),
      steal: () => this.#acquire('worker-3', ['worker-1', 'worker-2', 'worker-3']),
      release: (choose) => this.#release(choose),
      renew: (choose) => this.#renew(choose),
      settle: (choose) => this.#settle(choose),
      'settle stale': (choose) => this.#settleStale(choose),
      'settle again': () => this.#settleAgain(),
      'settle in a transaction': (choose) => this.#settle(choose, true),
      claim: (choose) => this.#claim(choose),
      unclaim: (choose) => this.#unclaim(choose),
      'settle rows': (choose) => this.#settleRows(choose),
      keys: (choose) => this.#keys(choose),
      promote: (choose) => this.#promote(choose),
    }
  }

  #ofPeople(): Record<Exclude<OperationKind, StageKind | WorkflowKind>, Run> {
    const { store } = this.#made
    const publishers = this.#publishers
    const person = this.#person
    return {
      append: (choose) => store.append(publishers.events(choose)),
      appendAll: (choose) => store.appendAll(publishers.events(choose)),
      begin: () => publishers.begin(),
      within: (choose) => publishers.within(choose),
      commit: (choose) => publishers.end(choose, 'commit'),
      rollback: (choose) => publishers.end(choose, 'rollback'),
      pause: (choose) => store.pause(choose.subscription(), 'model'),
      resume: (choose) => store.resume(choose.subscription(), 'model'),
      redrive: (choose) => person.redrive(choose),
      'advance redrives': () => store.advanceRedrives(),
      'stop redrive': (choose) => person.stopRedrive(choose),
      discard: (choose) => store.discard({ subscription: choose.subscription() }, 'model', 'not wanted'),
      replay: (choose) => person.replay(choose),
      'stop replay': (choose) => person.stopReplay(choose),
      'breaker failed': (choose) => person.breakerFailed(choose),
      'breaker probe': (choose) => store.breakerProbe(person.breaker(choose), longMs),
      'breaker succeeded': (choose) => store.breakerSucceeded(person.breaker(choose), 2),
      look: () => person.look(),
    }
  }

  async start(): Promise<void> {
    await this.#made.store.register(
      subscriptions.map((name) => ({
        ...{
          app: 'model',
          name,
          on: ['*'],
          priority: 'normal',
          shards: 1,
          start: 'beginning',
          selection: '',
          build: 0,
        },
        policies: { ordered: { halting: 'halt', skipping: 'skip', plain: 'no' }[name] },
      })),
    )
  }

  /** What the operation answered; an error by its code. */
  async run({ kind, choices }: ModelOperation): Promise<unknown> {
    await this.#made.pass?.()
    try {
      return (await this.#runs[kind](new Choices(choices))) ?? null
    } catch (error) {
      const { code, message } = error as { readonly code?: string; readonly message: string }
      return { error: code ?? message }
    }
  }

  async stop(): Promise<void> {
    await this.#publishers.stop()
  }

  // ── reading ──

  async #read(): Promise<unknown> {
    const { store } = this.#made
    for (let again = true; again; ) {
      const { number } = await store.lastTick()
      again = (await store.tick(number, ticksMax)).again
    }
    const ticks = await store.ticksAfter(this.#knownTick, ticksMax)
    for (const tick of ticks) this.#ticks.set(tick.number, tick)
    const events = ticks.length === 0 ? [] : await store.read(ticks, 0, eventsMax)
    this.#log.push(...events)
    this.#knownTick = ticks.at(-1)?.number ?? this.#knownTick
    return events.map(shown)
  }

  // ── leases ──

  async #acquire(worker: string, deadWorkers: readonly string[]): Promise<unknown> {
    const leaseMs = Object.fromEntries(subscriptions.map((name) => [name, longMs]))
    const leases = await this.#made.store.acquire({ worker, leaseMs, consumersMax: 100, deadWorkers })
    for (const lease of leases) this.#held.set(`${worker} ${consumerId(lease)}`, { lease, rows: [] })
    return leases.map((lease) => [this.#consumer(lease), lease.token, lease.revision, lease.deaths]).sort()
  }

  /** A replay by its number, not its id. */
  #consumer({ subscription, replay }: Pick<Lease, 'subscription' | 'replay'>): string {
    return `${subscription} ${replay === '' ? 'live' : 'replay'} ${Number(replay.slice(-4)) || ''}`
  }

  #holding(choose: Choices): { readonly worker: string; readonly held: Held } | undefined {
    const entries = [...this.#held].sort(([one], [two]) => (one < two ? -1 : 1))
    const entry = choose.pick(entries)
    return entry === undefined ? undefined : { worker: entry[0].split(' ')[0] ?? '', held: entry[1] }
  }

  async #release(choose: Choices): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined) return 'none'
    await this.#made.store.release([holding.held.lease])
    return this.#consumer(holding.held.lease)
  }

  async #renew(choose: Choices): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined) return 'none'
    const { worker, held } = holding
    return (await this.#made.store.renew({ worker, leases: [{ ...held.lease, leaseMs: longMs }] })).size
  }

  // ── settling ──

  #next({ lease }: Held, count: number): StoredEvent[] {
    return this.#log
      .filter(
        ({ tick, seq }) =>
          (tick > lease.tick || (tick === lease.tick && seq > lease.seq)) &&
          (lease.untilTick === null || tick <= lease.untilTick),
      )
      .slice(0, count)
  }

  #settlement({ lease }: Held, events: readonly StoredEvent[], choose: Choices): Settlement {
    const last = events.at(-1)
    const settled = events.map((event) => ({ event, how: choose.pick(endings) ?? 'done' }))
    const dead = settled.filter(({ how }) => how === 'dead')
    const opened = settled.filter(
      ({ how }) => how === 'retry' || how === 'waiting' || how === 'running' || how === 'later',
    )
    const done = settled.filter(({ how }) => how === 'done')
    return {
      ...{ subscription: lease.subscription, replay: lease.replay, shard: lease.shard, token: lease.token },
      ...{ revision: lease.revision, tick: last?.tick ?? lease.tick, seq: last?.seq ?? lease.seq },
      tickSnapshot: last === undefined ? null : (this.#ticks.get(last.tick)?.snapshot ?? null),
      counts: { matched: events.length, completed: done.length, skipped: 0 },
      runs: [],
      opened: opened.map(({ event, how }) => ({
        ...{ event, round: 0, deaths: 0, failure: null },
        attempt: how === 'waiting' ? 0 : 1,
        state: how === 'later' ? 'retry' : (how as 'retry'),
        dueInMs: how === 'later' ? longMs : 0,
      })),
      ...{ closed: [], rescheduled: [], finished: false },
      dead: dead.map(({ event }) => ({
        event,
        attempt: 1,
        round: 0,
        failure,
        halts: lease.subscription === 'halting' && event.key !== null,
      })),
      published: lease.replay === '' && choose.next() < 0.3 ? this.#publishers.events(choose) : [],
    }
  }

  async #settle(choose: Choices, within = false): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined) return 'none'
    const { held, worker } = holding
    const settlement = this.#settlement(held, this.#next(held, choose.between(1, 4)), choose)
    return this.#send(worker, held, settlement, within)
  }

  async #send(worker: string, held: Held, settlement: Settlement, within = false): Promise<unknown> {
    const { store } = this.#made
    const id = consumerId(settlement)
    const answer = within
      ? await this.#sendWithin(worker, settlement)
      : await store.settle(worker, [settlement])
    if (answer.settled.has(id)) {
      this.#lastSettlement = settlement
      held.lease = {
        ...held.lease,
        revision: held.lease.revision + 1,
        tick: settlement.tick,
        seq: settlement.seq,
      }
    }
    return { settled: answer.settled.has(id), conflicts: [...(answer.conflicts.get(id) ?? [])].sort() }
  }

  async #sendWithin(worker: string, settlement: Settlement): Promise<SettleAnswer> {
    const transaction = await this.#made.store.begin(longMs)
    try {
      return await transaction.settle(worker, settlement)
    } finally {
      // Refused, it is still open.
      await transaction.rollback()
    }
  }

  async #settleStale(choose: Choices): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined) return 'none'
    const { held, worker } = holding
    const settlement = this.#settlement(held, this.#next(held, 1), choose)
    const wrong = choose.pick<Partial<Settlement>>([
      { token: settlement.token - 1 },
      { revision: settlement.revision + 1 },
      { revision: settlement.revision - 1 },
      { tickSnapshot: '1:1:' },
    ])
    return this.#send(worker, { lease: held.lease, rows: [] }, { ...settlement, ...wrong })
  }

  async #settleAgain(): Promise<unknown> {
    const settlement = this.#lastSettlement
    if (settlement === undefined) return 'none'
    // It would wait for that transaction, which ends later in this sequence or never.
    if (this.#publishers.hold(settlement.published)) return 'held'
    return (await this.#made.store.settle('worker-1', [settlement])).settled.size
  }

  // ── rows ──

  async #claim(choose: Choices): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined) return 'none'
    const { lease, rows } = holding.held
    const suspectsMax = choose.next() < 0.3 ? 1 : undefined
    const claimed = await this.#made.store.claimDue([lease], 100, suspectsMax)
    rows.push(...claimed)
    return claimed
      .map(({ event, state, attempt, round, deaths }) => [
        event.id,
        event.tenant,
        event.tick,
        state,
        attempt,
        round,
        deaths,
      ])
      .sort()
  }

  /** Some of the rows that it holds are unknown to the holder. */
  async #unclaim(choose: Choices): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined) return 'none'
    const { lease, rows } = holding.held
    const kept = rows.splice(choose.between(0, rows.length))
    rows.splice(0, rows.length, ...kept)
    const revision = lease.revision - (choose.next() < 0.2 ? 1 : 0)
    const known = kept.map(({ event: { epoch, seq } }) => ({ epoch, seq }))
    return (await this.#made.store.unclaim([{ ...lease, revision, known }])).size
  }

  async #settleRows(choose: Choices): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined || holding.held.rows.length === 0) return 'none'
    const { held, worker } = holding
    const rows = held.rows.splice(0, choose.between(1, 3))
    const settled = rows.map((row) => ({
      row,
      how: choose.pick(['done', 'retry', 'dead', 'back'] as const) ?? 'done',
    }))
    const place = ({ event }: OpenDelivery) => ({ epoch: event.epoch, seq: event.seq })
    const base = this.#settlement(held, [], choose)
    return this.#send(worker, held, {
      ...base,
      published: [],
      counts: { matched: 0, completed: settled.filter(({ how }) => how === 'done').length, skipped: 0 },
      closed: settled.filter(({ how }) => how === 'done' || how === 'dead').map(({ row }) => place(row)),
      rescheduled: settled
        .filter(({ how }) => how === 'retry' || how === 'back')
        .map(({ row, how }) => ({
          ...place(row),
          dueInMs: 0,
          failure: how === 'retry' ? failure : null,
          counted: how === 'retry',
        })),
      dead: settled
        .filter(({ how }) => how === 'dead')
        .map(({ row: { event, attempt, round } }) => ({
          event,
          attempt,
          round,
          failure,
          halts: held.lease.subscription === 'halting' && event.key !== null,
        })),
    })
  }

  async #keys(choose: Choices): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined) return 'none'
    const { store } = this.#made
    const { open, halted } = await store.blockedKeys(holding.held.lease)
    const dueMs = await store.nextDueMs([holding.held.lease])
    return {
      open: [...open].sort(),
      halted: [...halted].sort(),
      rows: await store.openRows(holding.held.lease),
      due: dueMs === null ? 'never' : dueMs > longMs / 2 ? 'later' : 'now',
    }
  }

  async #promote(choose: Choices): Promise<unknown> {
    const holding = this.#holding(choose)
    if (holding === undefined) return 'none'
    return [...(await this.#made.store.promote(holding.held.lease, promotable))].sort()
  }
}

const promotable = tenants.flatMap((tenant) => ['a', 'b'].map((key) => orderingKeyOf({ tenant, key })))

const endings = ['done', 'done', 'retry', 'later', 'waiting', 'running', 'dead'] as const

const failure: Failure = {
  category: 'permanent',
  name: 'Error',
  message: 'no',
  stack: null,
  code: null,
  fingerprint: 'no',
}

const shown = ({ id, tenant, key, data }: StoredEvent) => [id, tenant, key, data]
