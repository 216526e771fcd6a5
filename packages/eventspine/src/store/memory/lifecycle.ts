// Definitions written down, and what time makes removable removed.
import { endOfTick } from '../../event/stored.js'
import { EventspineError } from '../../kernel/index.js'
import { endpointForgottenMs } from '../../webhook/port.js'
import type { LifecyclePort, SubscriptionRecord } from '../store.js'
import { isManned } from './lease.js'
import { type ConsumerRow, placeOf } from './rows.js'
import { snapshotOf } from './snapshot.js'
import type { ConsumerStart, MemoryTables } from './tables.js'

export function lifecyclePort(tables: MemoryTables): LifecyclePort {
  return {
    async open() {},
    async close() {},
    async migrate() {
      return []
    },
    alone: (_name, work) => work(),
    async register(subscriptions) {
      for (const record of subscriptions) refuseOtherShards(tables, record)
      for (const record of subscriptions) register(tables, record)
    },
    // Bodies in memory go with the process; none is ever removed before.
    claimsNeededSince: async () => 0,
    async makeRoom() {},
    async maintain(retention) {
      dropEvents(tables, retention.eventsMs)
      dropRuns(tables, retention.runsMs)
      dropLetters(tables, retention.resolvedDeadLettersMs)
      dropWorkflows(tables, retention.endedWorkflowsMs)
      const now = tables.now()
      for (const [key, { disabled, lastFailedAtMs }] of tables.endpoints)
        if (disabled === null && (lastFailedAtMs ?? now) < now - endpointForgottenMs)
          tables.endpoints.delete(key)
      for (const [key, { expiresAtMs, writer }] of tables.idempotency) {
        if (expiresAtMs <= now && !writer.open) tables.idempotency.delete(key)
      }
    },
    async ping() {},
  }
}

function refuseOtherShards(tables: MemoryTables, record: SubscriptionRecord): void {
  const known = tables.subscriptions.get(record.name)
  if (known === undefined || known.shards === record.shards) return
  throw new EventspineError(
    'SHARDS_CHANGED',
    `Subscription "${record.name}" has ${known.shards} shards, which cannot become ${record.shards}: its cursors stand at different places. Give the subscription a new name.`,
  )
}

function register(tables: MemoryTables, { start, ...record }: SubscriptionRecord): void {
  const known = tables.subscriptions.get(record.name)
  if (known !== undefined && !isOwn(known, record)) {
    // Of an older build, while somebody runs the newer one.
    if (record.build < known.build && isManned(tables, known.selection)) return
    supersede(tables, record.name)
  }
  const sameBuild = known !== undefined && known.selection === record.selection
  tables.subscriptions.set(record.name, {
    ...record,
    build: sameBuild ? Math.max(known.build, record.build) : record.build,
    state: known?.state ?? 'active',
    createdAtMs: known?.createdAtMs ?? tables.now(),
  })
  if (known === undefined) tables.addConsumers(record, startOf(tables, start))
}

const isOwn = (known: { readonly selection: string }, { selection }: Pick<SubscriptionRecord, 'selection'>) =>
  known.selection === '' || known.selection === selection

/** Whoever holds it with the definition of before records nothing that comes from now on. */
function supersede(tables: MemoryTables, subscription: string): void {
  const { number } = tables.makeTick()
  for (const consumer of tables.consumers.values())
    if (consumer.subscription === subscription && consumer.replay === '')
      consumer.supersededTick ??= Math.max(consumer.tick, number)
}

function startOf(tables: MemoryTables, start: SubscriptionRecord['start']): ConsumerStart {
  const place = { replay: '', untilTick: null, fromTimeMs: null }
  if (start === 'beginning') return { ...place, tick: tables.beginning() }
  // `now` is a boundary of its own: without it, what was committed since the last tick would still be delivered.
  if (start === 'now') return { ...place, tick: tables.makeTick().number }
  return { ...place, tick: tables.tickBefore(start.getTime()), fromTimeMs: start.getTime() }
}

/** Whole ticks from the oldest on, as partitions are, and none that any delivery may still need. */
function dropEvents(tables: MemoryTables, eventsMs: number): void {
  const before = tables.now() - eventsMs
  const needed = placesNeeded(tables)
  const consumers = [...tables.consumers.values()].filter(({ finished }) => !finished)
  for (let tick = tables.ticks[0]; tick && tables.ticks.length > 1; tick = tables.ticks[0]) {
    const { number, madeAtMs } = tick
    if (madeAtMs >= before || consumers.some((consumer) => !isPast(consumer, number))) return
    const events = tables.eventsBetween(snapshotOf(tick.after), snapshotOf(tick.snapshot))
    if (events.some((event) => needed.has(placeOf(event)))) return
    for (const { xid } of events) tables.events.delete(xid)
    tables.ticks.shift()
  }
}

const isPast = ({ tick, seq }: ConsumerRow, number: number) =>
  tick > number || (tick === number && seq === endOfTick)

/** Events of open deliveries, except of redriven ones: those carry a copy. */
function placesNeeded(tables: MemoryTables): Set<string> {
  const rows = [...tables.consumers.values()].flatMap(({ deliveries }) => [...deliveries])
  return new Set(rows.filter(([, { redrive }]) => redrive === null).map(([place]) => place))
}

function dropRuns(tables: MemoryTables, runsMs: number): void {
  const before = tables.now() - runsMs
  for (const [place, rows] of tables.runs) {
    const kept = rows.filter(({ recordedAtMs }) => recordedAtMs >= before)
    if (kept.length === 0) tables.runs.delete(place)
    else tables.runs.set(place, kept)
  }
}

function dropLetters(tables: MemoryTables, resolvedDeadLettersMs: number): void {
  const before = tables.now() - resolvedDeadLettersMs
  for (const [id, { resolvedAtMs }] of tables.letters) {
    if (resolvedAtMs !== null && resolvedAtMs < before) tables.letters.delete(id)
  }
}

function dropWorkflows(tables: MemoryTables, endedWorkflowsMs: number): void {
  const before = tables.now() - endedWorkflowsMs
  for (const [key, { endedAtMs }] of tables.workflows)
    if (endedAtMs !== null && endedAtMs < before) tables.workflows.delete(key)
}
