// What people ask of the memory store. Inspection runs over everything held: a test holds little.
import type { BreakerState } from '../../deliver/port.js'
import type { InspectPort } from '../../inspect/port.js'
import { breakerPort } from './breaker.js'
import { deliveriesOf } from './delivery-view.js'
import { correlated, pageOfEvents, withTick } from './event-query.js'
import { liveWorkers } from './lease.js'
import { groupLetters, lettersMatching, letterView } from './letters.js'
import { pageOf } from './paging.js'
import { redriveView } from './redrive.js'
import { replayView } from './replay.js'
import { subscriptionView } from './subscription-view.js'
import type { MemoryTables } from './tables.js'

export function inspectPort(tables: MemoryTables): InspectPort {
  return {
    async events(query) {
      return pageOfEvents(tables, query)
    },
    async event(id, tenant) {
      const found = tables
        .visibleEvents()
        .findLast((event) => event.id === id && (tenant === undefined || event.tenant === tenant))
      return found === undefined ? null : withTick(tables, found)
    },
    async deliveries(event) {
      return deliveriesOf(tables, event)
    },
    async correlated(correlationId) {
      return correlated(tables, correlationId)
    },
    async subscriptions() {
      return [...tables.subscriptions.values()].map((subscription) => subscriptionView(tables, subscription))
    },
    async deadLetters(query) {
      const letters = lettersMatching(tables, query).filter(({ state }) => (query.state ?? state) === state)
      return pageOf('letters', letters, query, ({ deathNumber }) => deathNumber, letterView)
    },
    async deadLetter(id) {
      const letter = tables.letters.get(id)
      return letter === undefined ? null : letterView(letter)
    },
    async deadLetterGroups(filter) {
      return groupLetters(lettersMatching(tables, filter).filter(({ state }) => state === 'dead'))
    },
    async redrives(query) {
      const numbered = [...tables.redrives.values()].map((redrive, number) => ({ redrive, number }))
      return pageOf(
        'redrives',
        numbered,
        query,
        ({ number }) => number,
        ({ redrive }) => redriveView(redrive),
      )
    },
    async replays(query) {
      const numbered = [...tables.replays.values()].map((replay, number) => ({ replay, number }))
      return pageOf(
        'replays',
        numbered,
        query,
        ({ number }) => number,
        ({ replay }) => replayView(tables, replay),
      )
    },
    async workers() {
      return liveWorkers(tables)
    },
    async breakers(): Promise<readonly BreakerState[]> {
      return await breakerPort(tables).breakers()
    },
    async audit(query) {
      return pageOf(
        'audit',
        tables.audits,
        query,
        ({ id }) => id,
        (row) => row,
      )
    },
    async health() {
      return healthOf(tables)
    },
  }
}

function healthOf(tables: MemoryTables): Awaited<ReturnType<InspectPort['health']>> {
  return {
    version: 'memory',
    epoch: 1,
    eventsEstimate: tables.visibleEvents().length,
    // Nothing is partitioned, so nothing runs out.
    partitionsAhead: Number.MAX_SAFE_INTEGER,
    rowsInDefaultPartition: 0,
    oldestTransaction: null,
    settings: {},
    schemaVersion: 1,
  }
}
