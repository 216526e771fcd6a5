// A subscription with its ledger: matched = completed + retrying + dead + discarded + skipped.
import { typeMatcher } from '../../event/pattern.js'
import { comparePositions, orderingKeyOf, type Position } from '../../event/stored.js'
import type { SubscriptionView } from '../../inspect/port.js'
import { withTick } from './event-query.js'
import { isLive } from './lease.js'
import { countOpen } from './letters.js'
import type { ConsumerRow, SubscriptionRow } from './rows.js'
import { snapshotOf } from './snapshot.js'
import type { MemoryTables } from './tables.js'

export function subscriptionView(tables: MemoryTables, subscription: SubscriptionRow): SubscriptionView {
  const { name, app, state, priority, on, shards, policies } = subscription
  const consumers = tables.consumersOf(name, '')
  return {
    name,
    app,
    state,
    priority,
    on,
    shards,
    policies,
    matched: consumers.reduce((sum, { matched }) => sum + matched, 0),
    completed: consumers.reduce((sum, { completed }) => sum + completed, 0),
    skipped: consumers.reduce((sum, { skipped }) => sum + skipped, 0),
    ...countOpen(tables, consumers),
    replayDead: replayDeadOf(tables, name),
    haltedKeys: haltedKeysOf(tables, name),
    ...lagOf(tables, consumers, on),
    owners: ownersOf(tables, consumers),
  }
}

const replayDeadOf = (tables: MemoryTables, name: string) =>
  [...tables.letters.values()].filter(
    ({ consumer, state }) => consumer.subscription === name && consumer.replay !== '' && state === 'dead',
  ).length

function haltedKeysOf(tables: MemoryTables, name: string): number {
  const halting = [...tables.letters.values()].filter(
    ({ consumer, halts, state }) => consumer.subscription === name && halts && state === 'dead',
  )
  return new Set(
    halting.map(({ consumer, event }) => `${consumer.replay} ${consumer.shard} ${orderingKeyOf(event)}`),
  ).size
}

/** Of its slowest shard. */
function lagOf(tables: MemoryTables, consumers: readonly ConsumerRow[], on: readonly string[]) {
  const [slowest, ...others] = [...consumers].sort(comparePositions)
  if (slowest === undefined) return { lagEvents: 0, lagExact: true, lagSeconds: 0 }
  // Only what lies in its tick or behind it: a scenario asks at every turn, and its log may be long.
  const reached = tables.tick(slowest.tick)
  const events =
    reached === undefined
      ? tables.visibleEvents()
      : tables.eventsBetween(snapshotOf(reached.after), tables.snapshot())
  const matchers = on.map(typeMatcher)
  const behind = events.filter((event) => {
    if (!matchers.some((matches) => matches(event.type))) return false
    const { tick, seq } = withTick(tables, event)
    return event.recordedAtMs >= (slowest.fromTimeMs ?? 0) && isBehind({ tick, seq }, slowest)
  })
  const oldestMs = Math.min(tables.now(), ...behind.map(({ recordedAtMs }) => recordedAtMs))
  const together = others.every((each) => comparePositions(each, slowest) === 0)
  return {
    lagEvents: behind.length,
    lagExact: behind.length === 0 || together,
    lagSeconds: (tables.now() - oldestMs) / 1000,
  }
}

const isBehind = (position: Position, cursor: Position) =>
  position.tick === 0 || comparePositions(position, cursor) > 0

function ownersOf(tables: MemoryTables, consumers: readonly ConsumerRow[]): string[] {
  const owners = new Set<string>()
  for (const consumer of consumers) {
    if (consumer.owner !== null && isLive(consumer, tables.now())) owners.add(consumer.owner)
  }
  return [...owners]
}
