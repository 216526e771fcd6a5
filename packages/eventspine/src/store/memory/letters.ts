// Dead letters as they are chosen, shown and grouped.
import { typeMatcher } from '../../event/pattern.js'
import type { Category } from '../../handle/category.js'
import type { Tally } from '../../inspect/port.js'
import {
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterGroup,
  groupHours,
} from '../../redrive/port.js'
import type { ConsumerRow, LetterRow } from './rows.js'
import type { MemoryTables } from './tables.js'

const hourMs = 3_600_000

/** Letters that match, oldest death first. */
export function lettersMatching(tables: MemoryTables, filter: DeadLetterFilter): LetterRow[] {
  return [...tables.letters.values()]
    .filter((letter) => matches(letter, filter))
    .sort((a, b) => a.deathNumber - b.deathNumber)
}

function matches(letter: LetterRow, filter: DeadLetterFilter): boolean {
  const { id, consumer, event, failure, diedAtMs } = letter
  return (
    (filter.ids === undefined || filter.ids.includes(id)) &&
    equals(filter.subscription, consumer.subscription) &&
    equals(filter.category, failure.category) &&
    equals(filter.tenant, event.tenant) &&
    equals(filter.fingerprint, failure.fingerprint) &&
    equals(filter.key, event.key) &&
    (filter.round === undefined || filter.round === letter.round) &&
    (filter.eventType === undefined || typeMatcher(filter.eventType)(event.type)) &&
    (filter.error === undefined || failure.message.toLowerCase().includes(filter.error.toLowerCase())) &&
    (filter.diedAfter === undefined || diedAtMs >= filter.diedAfter.getTime()) &&
    (filter.diedBefore === undefined || diedAtMs < filter.diedBefore.getTime())
  )
}

const equals = (wanted: string | undefined, actual: string | null) =>
  wanted === undefined || wanted === actual

export function letterView(letter: LetterRow): DeadLetter {
  const { event } = letter
  return {
    id: letter.id,
    subscription: letter.consumer.subscription,
    tenant: event.tenant,
    state: letter.state,
    event: {
      id: event.id,
      type: event.type,
      version: event.version,
      source: event.source,
      subject: event.subject,
      key: event.key,
      time: new Date(event.timeMs).toISOString(),
      data: event.data === null ? null : JSON.parse(event.data),
      claim: event.claim,
      correlationId: event.correlationId,
    },
    attempts: letter.attempts,
    round: letter.round,
    failure: letter.failure,
    halts: letter.halts,
    diedAtMs: letter.diedAtMs,
    redrive: letter.redrive,
    resolvedAtMs: letter.resolvedAtMs,
    resolvedBy: letter.resolvedBy,
    reason: letter.reason,
  }
}

/** Same subscription, category and fingerprint are one group; the largest comes first. */
export function groupLetters(letters: readonly LetterRow[], nowMs: number): DeadLetterGroup[] {
  const groups = new Map<string, DeadLetterGroup>()
  for (const { consumer, failure, diedAtMs } of letters) {
    const { category, fingerprint, message } = failure
    const key = JSON.stringify([consumer.subscription, category, fingerprint])
    const known = groups.get(key)
    groups.set(key, {
      subscription: consumer.subscription,
      category,
      fingerprint,
      message,
      count: (known?.count ?? 0) + 1,
      firstAtMs: Math.min(known?.firstAtMs ?? diedAtMs, diedAtMs),
      lastAtMs: Math.max(known?.lastAtMs ?? diedAtMs, diedAtMs),
      hourly: countedIn(known?.hourly ?? Array<number>(groupHours).fill(0), nowMs - diedAtMs),
    })
  }
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

/** One more in the hour of so long ago, if that is one of them. */
const countedIn = (hourly: readonly number[], agoMs: number) =>
  hourly.map((count, at) => (at === groupHours - 1 - Math.floor(agoMs / hourMs) ? count + 1 : count))

export function countCategories(letters: readonly LetterRow[]): Tally['deadLetters'] {
  const counts = new Map<Category, number>()
  for (const { failure } of letters) counts.set(failure.category, (counts.get(failure.category) ?? 0) + 1)
  return [...counts]
    .map(([category, count]) => ({ category, count }))
    .sort((a, b) => b.count - a.count || (a.category < b.category ? -1 : 1))
}

/** Where the deliveries of these consumers stand besides completed and skipped. */
export function countOpen(tables: MemoryTables, consumers: readonly ConsumerRow[]) {
  const of = new Set(consumers)
  const letters = [...tables.letters.values()].filter(({ consumer }) => of.has(consumer))
  return {
    // A letter that was sent again has a row, and is counted there.
    retrying: consumers.reduce((sum, { deliveries }) => sum + deliveries.size, 0),
    dead: letters.filter(({ state }) => state === 'dead').length,
    discarded: letters.filter(({ state }) => state === 'discarded').length,
  }
}
