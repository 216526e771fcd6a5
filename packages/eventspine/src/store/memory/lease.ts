// Leases in memory. A grant raises the token, and from then on nothing under the old one is accepted.
import {
  type ConsumerName,
  consumerId,
  type Lease,
  type LeasePort,
  type LeaseRequest,
  type OwnStanding,
  returnsWithinMs,
  type WorkerRow,
} from '../../deliver/port.js'
import type { ConsumerRow, SubscriptionRow } from './rows.js'
import type { MemoryTables } from './tables.js'

/** Workers that were silent for longer are not counted on. */
const workerSilenceMsMax = 15_000
const hourMs = 3_600_000

export function leasePort(tables: MemoryTables): LeasePort {
  return {
    async acquire(request) {
      orphan(tables, request.deadWorkers)
      if (request.consumersMax <= 0) return []
      const free = inGrantOrder(tables, grantable(tables, request))
      return free.slice(0, request.consumersMax).map((consumer) => grant(tables, consumer, request))
    },
    async renew({ worker, leases }) {
      const renewed = leases.filter((lease) => renew(tables, worker, lease))
      return new Set(renewed.map(consumerId))
    },
    async release(leases) {
      for (const lease of leases) {
        // Also one that was given back before: its answer may have been lost.
        const consumer = tables.consumer(lease)
        if (consumer === undefined || !isHolder(tables, consumer, lease.token)) continue
        consumer.owner = null
        consumer.leaseUntilMs = Number.NEGATIVE_INFINITY
        putBack(consumer)
      }
    },
    async heartbeat(worker, selections) {
      const now = tables.now()
      const startedAtMs = tables.workers.get(worker.id)?.startedAtMs ?? now
      tables.workers.set(worker.id, Object.freeze({ ...worker, startedAtMs, heartbeatAtMs: now }))
      tables.selections.set(worker.id, new Set(Object.values(selections)))
      const paused = [...tables.subscriptions.values()].filter(({ state }) => state === 'paused')
      const own = new Map<string, OwnStanding>()
      for (const [name, selection] of Object.entries(selections)) {
        const row = tables.subscriptions.get(name)
        if (row !== undefined) own.set(name, standingOf(tables, row, selection))
      }
      const workers = liveWorkers(tables)
      const silent = liveWorkers(tables, hourMs).filter((each) => !workers.includes(each))
      return { workers, silent, paused: new Set(paused.map(({ name }) => name)), own }
    },
    async removeWorker(id) {
      tables.workers.delete(id)
      tables.selections.delete(id)
    },
  }
}

/** The consumer, when this token is its newest grant and was not given back. */
export function held(
  tables: MemoryTables,
  lease: ConsumerName & { readonly token: number },
): ConsumerRow | undefined {
  const consumer = tables.consumer(lease)
  return consumer?.token === lease.token && consumer.owner !== null ? consumer : undefined
}

/** When a replay was stopped its holder has the token before; had somebody followed, there would be two between. */
function isHolder(tables: MemoryTables, consumer: ConsumerRow, token: number): boolean {
  const stopped = tables.replays.get(consumer.replay)?.state === 'stopped'
  return consumer.token === token || (stopped && consumer.token === token + 1)
}

/** Has a holder whose time is not up. */
export function isLive({ owner, leaseUntilMs }: ConsumerRow, now: number): boolean {
  return owner !== null && leaseUntilMs > now
}

// A holder that gives its lease back did not die: what it had claimed must not look as if it had killed somebody.
function putBack({ deliveries, token }: ConsumerRow): void {
  for (const row of deliveries.values())
    if (row.state === 'running' && row.token === token) row.state = 'retry'
}

function wantsOwner(tables: MemoryTables, consumer: ConsumerRow): boolean {
  return !consumer.finished && tables.subscriptions.get(consumer.subscription)?.state === 'active'
}

/** All of its leases end, not just those granted now: who knows that it is dead may take only a part of them. */
function orphan(tables: MemoryTables, deadWorkers: readonly string[]): void {
  for (const consumer of tables.consumers.values())
    if (consumer.owner !== null && deadWorkers.includes(consumer.owner))
      consumer.leaseUntilMs = Number.NEGATIVE_INFINITY
}

function grantable(tables: MemoryTables, request: LeaseRequest): ConsumerRow[] {
  const now = tables.now()
  return [...tables.consumers.values()].filter((consumer) => {
    const { subscription } = consumer
    if (request.leaseMs[subscription] === undefined || !wantsOwner(tables, consumer)) return false
    if (!isCurrent(tables.subscription(subscription), request.selections?.[subscription] ?? '')) return false
    // The worker's own name counts for nothing: a restarted worker under the same name is another holder.
    return !isLive(consumer, now)
  })
}

/** Alarms first, replays last, and else by chance, so that workers do not all ask for the same ones. */
function inGrantOrder(tables: MemoryTables, consumers: readonly ConsumerRow[]): ConsumerRow[] {
  const ranked = consumers.map((consumer) => {
    const alarm = tables.subscription(consumer.subscription).priority === 'alarm'
    return {
      consumer,
      rank: (alarm ? 0 : 2) + (consumer.replay === '' ? 0 : 1),
      chance: tables.random.next(),
    }
  })
  return ranked.sort((a, b) => a.rank - b.rank || a.chance - b.chance).map(({ consumer }) => consumer)
}

function grant(tables: MemoryTables, consumer: ConsumerRow, request: LeaseRequest): Lease {
  if (consumer.owner !== null) consumer.deaths++
  consumer.owner = request.worker
  consumer.token++
  consumer.supersededTick = null
  consumer.leaseUntilMs = tables.now() + (request.leaseMs[consumer.subscription] ?? 0)
  return {
    subscription: consumer.subscription,
    replay: consumer.replay,
    shard: consumer.shard,
    token: consumer.token,
    revision: consumer.revision,
    shards: tables.subscription(consumer.subscription).shards,
    tick: consumer.tick,
    seq: consumer.seq,
    untilTick: consumer.untilTick,
    fromTimeMs: consumer.fromTimeMs,
    deaths: consumer.deaths,
  }
}

function renew(
  tables: MemoryTables,
  worker: string,
  lease: ConsumerName & { readonly token: number; readonly leaseMs: number },
): boolean {
  const consumer = held(tables, lease)
  if (consumer === undefined || consumer.owner !== worker) return false
  const now = tables.now()
  // One that ran out is gone, though nobody took it yet: a pause may have been acknowledged on the strength of that.
  if (!isLive(consumer, now)) return false
  consumer.leaseUntilMs = now + lease.leaseMs
  return true
}

const isCurrent = (registered: { readonly selection: string }, own: string) =>
  own === '' || registered.selection === '' || registered.selection === own

function standingOf(tables: MemoryTables, row: SubscriptionRow, selection: string): OwnStanding {
  const runs = ({ id }: WorkerRow) =>
    row.selection === '' || tables.selections.get(id)?.has(row.selection) === true
  return {
    current: isCurrent(row, selection),
    build: row.build,
    manned: isManned(tables, row.selection),
    consumers: countWanting(tables, [row.name]),
    runners: liveWorkers(tables).filter(runs).length,
  }
}

/** Some worker runs it so, or may come back, where it had lived for a while. */
export function isManned(tables: MemoryTables, selection: string): boolean {
  const mayReturn = liveWorkers(tables, returnsWithinMs).filter(
    ({ startedAtMs, heartbeatAtMs }) => heartbeatAtMs > startedAtMs + returnsWithinMs,
  )
  return [...liveWorkers(tables), ...mayReturn].some(({ id }) => tables.selections.get(id)?.has(selection))
}

export function liveWorkers(tables: MemoryTables, silenceMs = workerSilenceMsMax): WorkerRow[] {
  const oldestMs = tables.now() - silenceMs
  return [...tables.workers.values()].filter((worker) => worker.heartbeatAtMs >= oldestMs)
}

function countWanting(tables: MemoryTables, subscriptions: readonly string[]): number {
  return [...tables.consumers.values()].filter(
    (consumer) => subscriptions.includes(consumer.subscription) && wantsOwner(tables, consumer),
  ).length
}
