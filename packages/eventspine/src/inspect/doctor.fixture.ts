// What the tests of the doctor look at: a healthy cell, and what can be told otherwise of it.

import type { DoctorInput } from './doctor.js'
import type { DatabaseHealth, SubscriptionView } from './port.js'
export const subscription = (given: Partial<SubscriptionView> = {}): SubscriptionView => ({
  name: 'mails',
  app: 'shop',
  state: 'active',
  priority: 'normal',
  on: ['*'],
  shards: 1,
  policies: { leaseMs: 60_000, batchEventsMax: 1_000 },
  matched: 10,
  completed: 6,
  retrying: 1,
  dead: 0,
  replayDead: 0,
  discarded: 2,
  skipped: 1,
  haltedKeys: 0,
  lagEvents: 0,
  lagExact: true,
  lagSeconds: 0,
  owners: ['w1'],
  ...given,
})

export const database: DatabaseHealth = {
  version: '18.1',
  epoch: 1,
  eventsEstimate: 0,
  partitionsAhead: 3,
  rowsInDefaultPartition: 0,
  oldestTransaction: null,
  settings: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', autovacuum: 'on' },
  schemaVersion: 1,
}

export const worker = {
  id: 'w1',
  identity: '',
  host: 'h',
  processId: 1,
  version: '',
  startedAtMs: 0,
  heartbeatAtMs: 0,
  running: {},
  consumers: 1,
}
export const breaker = {
  name: 'stripe',
  tenant: 'acme',
  key: '',
  state: 'open' as const,
  failures: 3,
  openedAtMs: 0,
  opensForMs: 1_500,
  closedForMs: null,
  lastError: 'refused',
}

export const sourceLease = {
  ...{ source: 'queue', slot: 'w1', worker: 'w1', identity: '', live: true },
  ...{ state: 'running' as const, failures: 0, error: null },
}
export const failing = { ...sourceLease, state: 'failing' as const, failures: 3, error: 'no route' }

export const input = (given: Partial<DoctorInput> = {}): DoctorInput => ({
  app: { name: 'shop', subscriptions: [{ name: 'mails' }], workflows: [{ name: 'order', version: 2 }] },
  versions: [{ workflow: 'order', version: 2, instances: 7 }],
  subscriptions: [subscription()],
  breakers: [],
  endpoints: [],
  workers: [worker],
  database,
  batches: new Map([['mails', 40]]),
  sources: [],
  sourceLeases: [],
  tables: [],
  newer: [],
  schedules: [],
  personal: { masters: [], standings: [] },
  ...given,
})

export const of = (given: Partial<SubscriptionView>) => ({ subscriptions: [subscription(given)] })
export const inDatabase = (given: Partial<DatabaseHealth>) => ({ database: { ...database, ...given } })
