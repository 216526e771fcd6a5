// Bugs planted between the engine and its store, to show that the oracle sees them: `--mutant NAME`.
import { comparePositions, consumerId, type MemoryTables, type Settlement, type Store } from './engine.js'

type Plant = (store: Store, tables: MemoryTables) => Partial<Store>

/** Changes every settlement before it is recorded, those of transactional handlers too. */
const settling =
  (change: (settlement: Settlement, tables: MemoryTables) => Settlement): Plant =>
  (store, tables) => ({
    settle: (worker, settlements, priority) =>
      store.settle(
        worker,
        settlements.map((each) => change(each, tables)),
        priority,
      ),
    async begin(deadlineMs) {
      const transaction = await store.begin(deadlineMs)
      return {
        query: (text, values) => transaction.query(text, values),
        rollback: () => transaction.rollback(),
        settle: (worker, settlement) => transaction.settle(worker, change(settlement, tables)),
      }
    },
  })

export const mutants: Readonly<Record<string, Plant>> = {
  'settle without token': settling((settlement, tables) => {
    const row = tables.consumers.get(consumerId(settlement))
    if (row === undefined || row.token === settlement.token) return settlement
    return { ...settlement, token: row.token, revision: row.revision }
  }),
  'settle without revision': settling((settlement, tables) => {
    const row = tables.consumers.get(consumerId(settlement))
    return row === undefined ? settlement : { ...settlement, revision: row.revision }
  }),
  'tick by its number alone': settling((settlement) => ({ ...settlement, tickSnapshot: null })),
  // The cursor moves when the work is taken, as in "acknowledge on receipt".
  'cursor before effects': (store, tables) => ({
    // All reading is seen.
    tick: (known, ticksMax) => store.tick(known, ticksMax),
    async read(ticks, seqAfter, eventsMax) {
      const events = await store.read(ticks, seqAfter, eventsMax)
      for (const consumer of tables.consumers.values()) {
        const last = events.at(-1)
        if (last !== undefined && consumer.owner !== null && comparePositions(last, consumer) > 0)
          Object.assign(consumer, { tick: last.tick, seq: last.seq })
      }
      return events
    },
  }),
  'retry without attempt count': (store, tables) => ({
    async claimDue(leases, deliveriesMax, suspectsMax) {
      const rows = await store.claimDue(leases, deliveriesMax, suspectsMax)
      for (const { event, ...name } of rows) {
        const row = tables.consumers.get(consumerId(name))?.deliveries.get(`${event.epoch}.${event.seq}`)
        if (row !== undefined) row.attempt--
      }
      return rows.map((row) => ({ ...row, attempt: row.attempt - 1 }))
    },
  }),
  'dedupe without tenant': (store) => {
    const tenants = new Map<string, string>()
    return {
      append: async (events) => {
        const taken = events.map(({ fingerprint, id, tenant }) => {
          if (fingerprint === null) return false
          const first = tenants.get(id) ?? tenant
          tenants.set(id, first)
          return first !== tenant
        })
        const outcomes = [...(await store.append(events.filter((_, index) => !taken[index])))]
        return taken.map((each) => (each ? 'duplicate' : (outcomes.shift() ?? 'stored')))
      },
    }
  },
  'dedupe forgets': (store) => ({
    append: (events) => store.append(events.map((event) => ({ ...event, fingerprint: null }))),
  }),
  'ack before commit': (store) => ({
    append: async (events) => {
      // Every so often the batch is lost on its way to the disk.
      const lost = events.some(({ data }) => data?.includes('7"') === true)
      return lost ? events.map(() => 'stored' as const) : store.append(events)
    },
  }),
  'key released too early': (store, tables) => ({
    promote: async (consumer, keys) => {
      for (const row of tables.consumers.get(consumerId(consumer))?.deliveries.values() ?? [])
        if (row.state === 'waiting') row.state = 'retry'
      return store.promote(consumer, keys)
    },
  }),
  'keys forgotten at a lease move': () => ({
    blockedKeys: async () => ({ open: new Map(), halted: new Set() }),
  }),
  'lease granted while it is held': (store, tables) => ({
    acquire: (request) => {
      for (const consumer of tables.consumers.values())
        if (consumer.leaseUntilMs < tables.now() + 300) consumer.leaseUntilMs = 0
      return store.acquire(request)
    },
  }),
  'renewal revives': (store, tables) => ({
    renew: async ({ worker, leases }) => {
      const own = leases.flatMap((lease) => {
        const row = tables.consumers.get(consumerId(lease))
        return row === undefined || row.owner === null ? [] : [{ ...lease, token: row.token, row }]
      })
      for (const { row } of own) row.owner = worker
      return store.renew({ worker, leases: own })
    },
  }),
  'naive cursor': (store, tables) => ({
    // By `seq` alone: what commits late under a smaller number is never seen.
    async read(ticks, seqAfter, eventsMax) {
      const first = ticks[0]?.number ?? 0
      const seenMax = Math.max(
        0,
        ...[...tables.events.values()]
          .flat()
          .map(({ seq, xid }) => (tables.tickOf(xid) < first && tables.tickOf(xid) > 0 ? seq : 0)),
      )
      return (await store.read(ticks, seqAfter, eventsMax)).filter(({ seq }) => seq > seenMax)
    },
  }),
  // Settled or rolled back: the effects stay.
  'effects without settlement': (store, tables) => ({
    async begin(deadlineMs) {
      const transaction = await store.begin(deadlineMs)
      const effects = tables.begin()
      const commit = () => {
        if (effects.open) effects.commit()
      }
      return {
        query: async <Row>(text: string, values: readonly unknown[] = []) => {
          const { rows, rowCount } = await effects.query(text, values)
          return { rows: rows as Row[], rowCount }
        },
        async rollback() {
          commit()
          await transaction.rollback()
        },
        async settle(worker, settlement) {
          commit()
          return transaction.settle(worker, settlement)
        },
      }
    },
  }),
  'dead letter lost': settling((settlement) => ({ ...settlement, dead: [] })),
  'retry before its time': settling((settlement) => ({
    ...settlement,
    opened: settlement.opened.map((each) => ({ ...each, dueInMs: 0 })),
    rescheduled: settlement.rescheduled.map((each) => ({ ...each, dueInMs: 0 })),
  })),
  'pause without waiting': (store) => ({
    pause: async (name, actor) => {
      await store.pause(name, actor)
      return 0
    },
  }),
  'redrive asked twice': (store) => ({
    createRedrive: (id, { idempotencyKey: _, ...request }) => store.createRedrive(id, request),
  }),
  'deaths not counted': (store, tables) => ({
    claimDue: async (leases, deliveriesMax, suspectsMax) => {
      for (const { deliveries } of tables.consumers.values())
        for (const row of deliveries.values()) row.deaths = 0
      const rows = await store.claimDue(leases, deliveriesMax, suspectsMax)
      return rows.map((row) => ({ ...row, deaths: 0 }))
    },
  }),
}

export function planted(name: string | undefined, store: Store, tables: MemoryTables): Store {
  if (name === undefined) return store
  const plant = mutants[name]
  if (plant === undefined)
    throw new Error(`There is no mutant "${name}". There are: ${Object.keys(mutants).join(', ')}`)
  return { ...store, ...plant(store, tables) }
}
