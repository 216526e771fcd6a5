// Rows of deliveries that did not succeed at once. The attempt is counted when a row is claimed, before it runs:
// a process that dies of it has still used it up.
import {
  type Claimant,
  type ConsumerName,
  consumerId,
  type Holding,
  type OpenDelivery,
  type RetryPort,
} from '../../deliver/port.js'
import { comparePositions, type OrderingKey, orderingKeyOf } from '../../event/stored.js'
import { held, isLive } from './lease.js'
import { type ConsumerRow, type DeliveryRow, type LetterRow, placeOf } from './rows.js'
import type { MemoryTables } from './tables.js'

export function retryPort(tables: MemoryTables): RetryPort {
  return {
    async claimDue(leases, deliveriesMax, suspectsMax = deliveriesMax) {
      const affordable = leases.map((lease) => affordableRows(tables, lease, deliveriesMax))
      const suspects = affordable.flatMap((each) => each.suspects).sort(byDeaths)
      const chosen = [...affordable.flatMap((each) => each.others), ...suspects.slice(0, suspectsMax)]
      return chosen.sort(byDueTime).map(({ consumer, row }) => claim(consumer, row))
    },
    async unclaim(holdings) {
      const looked = holdings.filter((holding) => {
        const consumer = tables.consumer(holding)
        return consumer?.token === holding.token && consumer.revision === holding.revision
      })
      for (const holding of looked) unclaim(tables.consumer(holding), holding)
      return new Set(looked.map(consumerId))
    },
    async nextDueMs(leases) {
      const times = leases.flatMap((name) => {
        const consumer = tables.consumer(name)
        const rows = consumer === undefined ? [] : [...consumer.deliveries.values()]
        return rows.filter(({ state }) => state === 'retry').map(({ dueAtMs }) => dueAtMs)
      })
      return times.length === 0 ? null : Math.max(0, Math.min(...times) - tables.now())
    },
    async openRows(name) {
      return tables.consumer(name)?.deliveries.size ?? 0
    },
    async blockedKeys(name) {
      const consumer = tables.consumer(name)
      if (consumer === undefined) return { open: new Map(), halted: new Set() }
      return { open: openKeys(consumer), halted: new Set(haltingLetters(tables, consumer).keys()) }
    },
    async promote(name, keys) {
      const consumer = tables.consumer(name)
      if (consumer === undefined) return new Set()
      if (consumer.token === name.token) promoteWaiting(tables, consumer, keys)
      const open = openKeys(consumer)
      return new Set(keys.filter((key) => open.has(key)))
    },
  }
}

/** Makes the first waiting row of each key due, unless the key has an active row or is halted. */
export function promoteWaiting(
  tables: MemoryTables,
  consumer: ConsumerRow,
  keys: readonly OrderingKey[],
): void {
  const halted = haltingLetters(tables, consumer)
  for (const key of keys) {
    const rows = [...consumer.deliveries.values()].filter(({ event }) => orderingKeyOf(event) === key)
    if (rows.some(({ state }) => state !== 'waiting')) continue
    const [first] = rows.sort((a, b) => comparePositions(a.event, b.event))
    if (first === undefined) continue
    // The halting letter that was sent again halts all but itself.
    const letters = halted.get(key) ?? []
    if (letters.some(({ state, event }) => state === 'dead' || placeOf(event) !== placeOf(first.event)))
      continue
    first.state = 'retry'
    first.dueAtMs = tables.now()
  }
}

// A lease that ran out starts no attempt, though nobody took it yet: its subscription may be paused by now.
function liveHolding(tables: MemoryTables, lease: ConsumerName & { readonly token: number }) {
  const consumer = held(tables, lease)
  return consumer !== undefined && isLive(consumer, tables.now()) ? consumer : undefined
}

/** Rows that wait for their time, and rows whose holder vanished while they ran. */
function claimable(consumer: ConsumerRow): DeliveryRow[] {
  return [...consumer.deliveries.values()].filter(
    ({ state, token }) => state === 'retry' || (state === 'running' && token < consumer.token),
  )
}

/** Rows that may not go yet, behind which others are still found. */
const passedMax = 200

/** What one lease can take now. Suspects are apart: of them all leases together take only so many. A limit for each:
 *  one with a million due rows cannot starve its neighbours. */
function affordableRows(tables: MemoryTables, lease: Claimant, deliveriesMax: number) {
  const consumer = liveHolding(tables, lease)
  const rowsMax = Math.min(lease.rowsMax ?? deliveriesMax, deliveriesMax)
  let retriesLeft = lease.retriesMax ?? deliveriesMax
  const due = consumer === undefined ? [] : dueRows(tables, consumer).slice(0, rowsMax + passedMax)
  const affordable = due.filter(({ row }) => !isRetried(row) || retriesLeft-- > 0)
  return {
    suspects: affordable.filter(({ row }) => isSuspect(row)),
    others: affordable.filter(({ row }) => !isSuspect(row)).slice(0, rowsMax),
  }
}

/** It ran when a process died. */
const isSuspect = ({ deaths, state }: DeliveryRow) => deaths > 0 || state === 'running'
const isRetried = (row: DeliveryRow) => row.attempt > 0 && !isSuspect(row)

interface Due {
  readonly consumer: ConsumerRow
  readonly row: DeliveryRow
}

function dueRows(tables: MemoryTables, consumer: ConsumerRow): Due[] {
  const now = tables.now()
  return claimable(consumer)
    .filter(({ dueAtMs }) => dueAtMs <= now)
    .map((row) => ({ consumer, row }))
    .sort(byDueTime)
}

const byDueTime = (a: Due, b: Due) =>
  a.row.dueAtMs - b.row.dueAtMs || comparePositions(a.row.event, b.row.event)

const byDeaths = (a: Due, b: Due) => a.row.deaths - b.row.deaths || byDueTime(a, b)

function claim(consumer: ConsumerRow, row: DeliveryRow): ConsumerName & OpenDelivery {
  if (row.state === 'running') row.deaths++
  row.state = 'running'
  row.attempt++
  row.token = consumer.token
  const { subscription, replay, shard } = consumer
  const { event, state, attempt, round, deaths, redrive } = row
  return { subscription, replay, shard, event, state, attempt, round, deaths, redrive }
}

function unclaim(consumer: ConsumerRow | undefined, { token, known }: Holding): void {
  const places = new Set(known.map(placeOf))
  for (const row of consumer?.deliveries.values() ?? []) {
    if (row.state !== 'running' || row.token !== token || places.has(placeOf(row.event))) continue
    row.state = 'retry'
    row.attempt--
  }
}

function openKeys(consumer: ConsumerRow): Map<OrderingKey, number> {
  const open = new Map<OrderingKey, number>()
  for (const { event } of consumer.deliveries.values()) {
    const key = orderingKeyOf(event)
    if (key !== null) open.set(key, (open.get(key) ?? 0) + 1)
  }
  return open
}

function haltingLetters(tables: MemoryTables, consumer: ConsumerRow): Map<OrderingKey, LetterRow[]> {
  const halted = new Map<OrderingKey, LetterRow[]>()
  for (const letter of tables.letters.values()) {
    const { state, halts, event } = letter
    const key = orderingKeyOf(event)
    if (letter.consumer !== consumer || !halts || key === null) continue
    if (state === 'dead' || state === 'redriving') halted.set(key, [...(halted.get(key) ?? []), letter])
  }
  return halted
}
