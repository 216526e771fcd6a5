// For tests alone: a schema of its own with the real parts of the store on it, dropped at the end.
import { randomBytes } from 'node:crypto'
import type { Failure, Lease } from '../../deliver/port.js'
import { endOfTick, type NewEvent, type StoredEvent } from '../../event/stored.js'
import { systemClock } from '../../kernel/index.js'
import { silentLogger } from '../../observe/log.js'
import type { Settlement } from '../../settle/port.js'
import type { Store, SubscriptionRecord } from '../store.js'
import { accessStatements } from './access.js'
import { appendStatements } from './append.js'
import { breakerStatements } from './breaker.js'
import { contractStatements } from './contract.js'
import { Database } from './database.js'
import { importStatements } from './import.js'
import { inspectStatements } from './inspect.js'
import { leaseStatements } from './lease.js'
import { lifecycleStatements } from './lifecycle.js'
import { logStatements } from './log.js'
import { operateStatements } from './operate.js'
import { personalStatements } from './personal.js'
import { redriveStatements } from './redrive.js'
import { replayStatements } from './replay.js'
import { replicationStatements } from './replication.js'
import { retryStatements } from './retry.js'
import { scheduleStatements } from './schedule.js'
import { settleStatements } from './settle.js'
import { sourceItemStatements } from './source-item.js'
import { sourceLeaseStatements } from './source-lease.js'
import { tableStatements } from './table.js'
import { wakeStatements } from './wake.js'
import { webhookStatements } from './webhook.js'
import { workflowStatements } from './workflow.js'

const windowMs = 7 * 86_400_000

export const failure: Failure = {
  category: 'permanent',
  name: 'PermanentError',
  message: 'Customer 17 is unknown',
  stack: null,
  code: null,
  fingerprint: 'f1',
}

export type TestStore = Awaited<ReturnType<typeof openTestStore>>

export async function openTestStore() {
  const url = process.env.EVENTSPINE_TEST_DATABASE_URL
  if (url === undefined) throw new Error('EVENTSPINE_TEST_DATABASE_URL is not set')
  const database = new Database({ url, schema: `operate_${randomBytes(6).toString('hex')}` }, systemClock)
  const store: Store = {
    ...appendStatements(database, windowMs),
    ...logStatements(database),
    ...wakeStatements(database, systemClock),
    ...leaseStatements(database),
    ...retryStatements(database),
    ...breakerStatements(database),
    ...settleStatements(database, windowMs),
    ...redriveStatements(database),
    ...replayStatements(database),
    ...operateStatements(database),
    ...inspectStatements(database),
    ...workflowStatements(database),
    ...scheduleStatements(database),
    ...contractStatements(database),
    ...importStatements(database, windowMs),
    ...sourceLeaseStatements(database),
    ...sourceItemStatements(database),
    ...personalStatements(database),
    ...tableStatements(database),
    ...replicationStatements(database),
    ...webhookStatements(database),
    ...accessStatements(database),
    ...lifecycleStatements(database, silentLogger),
  }
  await store.migrate()
  let prepared = 0
  return {
    ...store,
    database,
    /** Any statement; `eventspine.` is replaced. */
    sql: <Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []) =>
      database.query<Row>('read', `test.${prepared++}`, text, values),
    async drop() {
      await database.query('read', 'test.drop', `DROP SCHEMA ${database.schema} CASCADE`)
      await database.close()
    },
  }
}

let count = 0

export function newEvent(given: Partial<NewEvent> = {}): NewEvent {
  const id = given.id ?? `event-${++count}`
  return {
    id,
    type: 'orders.order-placed',
    version: 1,
    tenant: 'default',
    source: '/test',
    subject: null,
    key: null,
    timeMs: 1_700_000_000_000,
    data: '{"quantity":1}',
    claim: null,
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    correlationId: id,
    causationId: null,
    extensions: null,
    fingerprint: null,
    ...given,
  }
}

export const record = (name: string, given: Partial<SubscriptionRecord> = {}): SubscriptionRecord => ({
  name,
  app: 'test',
  on: ['orders.*'],
  priority: 'normal',
  shards: 1,
  start: 'beginning',
  selection: '',
  build: 0,
  policies: {},
  ...given,
})

/** Every event of the ticks made so far, in the log's order. */
export async function readAll(store: TestStore): Promise<readonly StoredEvent[]> {
  await store.tick(0, 1_000)
  return store.read(await store.ticksAfter(0, 1_000), 0, 10_000)
}

/** With `replay` (an id, or '' for the live consumer) that one of several; else there may be no choice. */
export async function leaseOf(
  store: TestStore,
  subscription: string,
  worker = 'worker-1',
  replay?: string,
): Promise<Lease> {
  const leases = await store.acquire({
    worker,
    leaseMs: { [subscription]: 60_000 },
    consumersMax: 10,
    deadWorkers: [],
  })
  const wanted = leases.filter((each) => replay === undefined || each.replay === replay)
  const [lease] = wanted
  if (lease === undefined) throw new Error(`No consumer of ${subscription} is free`)
  if (wanted.some((each) => each.replay !== lease.replay)) throw new Error(`Say which of ${subscription}`)
  await store.release(leases.filter((each) => !wanted.includes(each)))
  return lease
}

/** A settlement that records nothing but a move to the end of `tick`. */
export const settlementTo = (lease: Lease, tick: number, given: Partial<Settlement> = {}): Settlement => ({
  subscription: lease.subscription,
  replay: lease.replay,
  shard: lease.shard,
  token: lease.token,
  revision: lease.revision,
  tick,
  tickSnapshot: null,
  seq: endOfTick,
  counts: { matched: 0, completed: 0, skipped: 0 },
  runs: [],
  opened: [],
  closed: [],
  rescheduled: [],
  dead: [],
  published: [],
  finished: false,
  ...given,
})

/** Appends `events`, and makes each of them a dead letter of `subscription`. */
export async function deadLettersOf(
  store: TestStore,
  subscription: string,
  events: readonly NewEvent[],
  given: { readonly failure?: Failure; readonly halts?: boolean; readonly round?: number } = {},
): Promise<readonly StoredEvent[]> {
  await store.append(events)
  const ids = new Set(events.map((event) => event.id))
  const stored = (await readAll(store)).filter((event) => ids.has(event.id))
  const lease = await leaseOf(store, subscription)
  const dead = stored.map((event) => ({
    event,
    attempt: 3,
    round: given.round ?? 0,
    failure: given.failure ?? failure,
    halts: given.halts ?? false,
  }))
  const counts = { matched: stored.length, completed: 0, skipped: 0 }
  const { settled } = await store.settle('worker-1', [
    settlementTo(lease, stored.at(-1)?.tick ?? 0, { counts, dead }),
  ])
  if (settled.size !== 1) throw new Error('The settlement was refused')
  await store.release([lease])
  return stored
}

/** Takes what is due of `subscription` and ends it: well, or dead again. Answers how many there were. */
export async function workOff(
  store: TestStore,
  subscription: string,
  ends: 'done' | 'dead',
  deliveriesMax = 100,
): Promise<number> {
  const lease = await leaseOf(store, subscription)
  const due = await store.claimDue([lease], deliveriesMax)
  const closed = due.map(({ event }) => ({ epoch: event.epoch, seq: event.seq }))
  const dead =
    ends === 'done'
      ? []
      : due.map(({ event, attempt, round }) => ({ event, attempt, round, failure, halts: false }))
  const counts = { matched: 0, completed: ends === 'done' ? due.length : 0, skipped: 0 }
  const settlement = settlementTo(lease, lease.tick, {
    seq: lease.seq,
    closed,
    dead,
    counts,
    finished: lease.replay !== '',
  })
  await store.settle('worker-1', [settlement])
  await store.release([lease])
  return due.length
}
