// Where each delivery of one event stands: a dead letter or a row says so, else the cursor does.
import { typeMatcher } from '../../event/pattern.js'
import { comparePositions, type StoredEvent } from '../../event/stored.js'
import type { DeliveryView } from '../../inspect/port.js'
import { hash32 } from '../../kernel/index.js'
import {
  type ConsumerRow,
  type DeliveryRow,
  idOf,
  type LetterRow,
  placeOf,
  type RunRow,
  type SubscriptionRow,
} from './rows.js'
import type { MemoryTables } from './tables.js'

/** What is known of one event for one subscription, live or in one replay. */
interface Facts {
  readonly event: StoredEvent
  readonly subscription: SubscriptionRow
  readonly consumer: ConsumerRow
  readonly row: DeliveryRow | undefined
  readonly letter: LetterRow | undefined
  readonly runs: readonly RunRow[]
}

export function deliveriesOf(tables: MemoryTables, event: StoredEvent): DeliveryView[] {
  return [...tables.subscriptions.values()].flatMap((subscription) => {
    const shard = hash32(event.key ?? event.id) % subscription.shards
    const consumers = [...tables.consumers.values()].filter(
      (consumer) => consumer.subscription === subscription.name && consumer.shard === shard,
    )
    return consumers.flatMap(
      (consumer) => viewOf(tables, factsOf(tables, event, subscription, consumer)) ?? [],
    )
  })
}

function factsOf(
  tables: MemoryTables,
  event: StoredEvent,
  subscription: SubscriptionRow,
  consumer: ConsumerRow,
): Facts {
  const place = placeOf(event)
  const runs = (tables.runs.get(place) ?? []).filter(
    (run) => run.subscription === consumer.subscription && run.replay === consumer.replay,
  )
  const row = consumer.deliveries.get(place)
  const letter = tables.letters.get(idOf(consumer, event))
  return { event, subscription, consumer, row, letter, runs }
}

function viewOf(tables: MemoryTables, facts: Facts): DeliveryView | undefined {
  const { event, consumer, row, letter, runs } = facts
  const state = letter?.state ?? row?.state ?? stateByCursor(tables, facts)
  if (state === undefined) return undefined
  return {
    id: idOf(consumer, event),
    subscription: consumer.subscription,
    replay: consumer.replay === '' ? null : consumer.replay,
    state,
    attempt: row?.attempt ?? letter?.attempts ?? runs.at(-1)?.run.attempt ?? 0,
    dueAtMs: row === undefined || row.state === 'waiting' ? null : row.dueAtMs,
    failure: row?.failure ?? letter?.failure ?? null,
    runs: runs.map(({ run: { epoch: _epoch, seq: _seq, ...run }, worker }) => ({ ...run, worker })),
  }
}

// Without a row: done when its cursor has passed it. A run proves it; without one only a subscription that takes
// every event of the type surely ran it.
function stateByCursor(tables: MemoryTables, facts: Facts): 'pending' | 'completed' | undefined {
  const { event, subscription, consumer, runs } = facts
  const passed = isPassed(tables, event, consumer)
  if (runs.length > 0 && passed) return 'completed'
  const matches = subscription.on.some((pattern) => typeMatcher(pattern)(event.type))
  if (!matches || consumer.replay !== '') return undefined
  if (consumer.fromTimeMs !== null && event.recordedAtMs < consumer.fromTimeMs) return undefined
  if (!passed) return 'pending'
  const { filter, start } = subscription.policies
  const older = event.recordedAtMs < subscription.createdAtMs && start !== 'beginning'
  return (filter !== undefined && filter !== null) || older ? undefined : 'completed'
}

function isPassed(tables: MemoryTables, event: StoredEvent, consumer: ConsumerRow): boolean {
  const tick = tables.tickOf(event.xid)
  return tick > 0 && comparePositions({ tick, seq: event.seq }, consumer) <= 0
}
