// What people ask of the memory store. Inspection runs over everything held: a test holds little.
import type { StoredEvent } from '../../event/stored.js'
import {
  type AuditQuery,
  type AuditRow,
  awaitingApprovalMax,
  type EventHead,
  type InspectPort,
  openVersionsMax,
  tenantsOfIdMax,
} from '../../inspect/port.js'
import { deliveriesOf } from './delivery-view.js'
import { correlated, firsts, pageOfEvents, remaining, remainingTypes, withTick } from './event-query.js'
import { handlingOf } from './handling.js'
import { liveWorkers } from './lease.js'
import { countCategories, groupLetters, lettersMatching, letterView } from './letters.js'
import { newerEventsOf } from './newer.js'
import { pageOf } from './paging.js'
import { redriveView } from './redrive.js'
import { replayView } from './replay.js'
import { subscriptionView } from './subscription-view.js'
import type { MemoryTables } from './tables.js'
import { awaitsApproval } from './workflow.js'

/** All of InspectPort but `breakers`, which BreakerPort answers under the same name. */
export function inspectPort(tables: MemoryTables): Omit<InspectPort, 'breakers'> {
  return {
    ...eventInspection(tables),
    ...letterInspection(tables),
    ...headInspection(tables),
    async subscriptions(name) {
      return [...tables.subscriptions.values()]
        .filter((subscription) => name === undefined || subscription.name === name)
        .map((subscription) => subscriptionView(tables, subscription))
    },
    async openVersions(workflows) {
      const open = [...tables.workflows.values()].filter(({ endedAtMs }) => endedAtMs === null)
      return workflows.toSorted().flatMap((workflow) => {
        const own = open.filter((row) => row.workflow === workflow)
        const seen = [...new Set([...own.slice(0, openVersionsMax), ...own.slice(-openVersionsMax)])]
        const versions = [...new Set(seen.map(({ version }) => version))].sort((a, b) => a - b)
        const count = (version: number) => seen.filter((row) => row.version === version).length
        return versions.map((version) => ({ workflow, version, instances: count(version) }))
      })
    },
    async newerEvents() {
      return newerEventsOf(tables)
    },
    async handling() {
      return handlingOf(tables)
    },
    async redrives(query) {
      return pageOf('redrives', numbered(tables.redrives), query, byNumber, ({ row }) => redriveView(row))
    },
    async replays(query) {
      return pageOf('replays', numbered(tables.replays), query, byNumber, ({ row }) =>
        replayView(tables, row),
      )
    },
    async workers() {
      return liveWorkers(tables)
    },
    async audit(query) {
      const byId = ({ id }: AuditRow) => id
      return pageOf('audit', tables.audits.filter(asked(query)), query, byId, (row) => row)
    },
    async health() {
      return healthOf(tables)
    },
    async tally() {
      const dead = [...tables.letters.values()].filter(({ state }) => state === 'dead')
      const asking = [...tables.workflows.values()].filter(awaitsApproval).length
      return {
        ...{ atMs: tables.now(), appended: tables.seqLast, deadLetters: countCategories(dead) },
        awaitingApproval: Math.min(asking, awaitingApprovalMax),
      }
    },
  }
}

type EventInspection = Pick<
  InspectPort,
  'events' | 'remaining' | 'remainingTypes' | 'event' | 'tenantsOf' | 'deliveries' | 'correlated' | 'firsts'
>

function eventInspection(tables: MemoryTables): EventInspection {
  return {
    async events(query) {
      return pageOfEvents(tables, query)
    },
    async remaining(query) {
      return remaining(tables, query)
    },
    async remainingTypes(query) {
      return remainingTypes(tables, query)
    },
    async event(id, tenant) {
      const found = tables
        .visibleEvents()
        .findLast((event) => event.id === id && (tenant === undefined || event.tenant === tenant))
      return found === undefined ? null : withTick(tables, found)
    },
    async tenantsOf(id) {
      const found = tables.visibleEvents().filter((event) => event.id === id)
      return [...new Set(found.map(({ tenant }) => tenant))].sort().slice(0, tenantsOfIdMax)
    },
    async deliveries(event) {
      return deliveriesOf(tables, event)
    },
    async correlated(correlationId) {
      return correlated(tables, correlationId)
    },
    async firsts(correlationIds, types) {
      return firsts(tables, correlationIds, types)
    },
  }
}

type HeadInspection = Pick<InspectPort, 'eventHeads' | 'eventHeadsOf' | 'eventHeadsWith'>

function headInspection(tables: MemoryTables): HeadInspection {
  const newest = () =>
    tables
      .visibleEvents()
      .toSorted((a, b) => b.seq - a.seq)
      .map((event) => headOf(tables, event))
  return {
    async eventHeads(max) {
      return newest().slice(0, max)
    },
    async eventHeadsOf(types, eachMax) {
      const heads = newest()
      return types.flatMap((type) => heads.filter((head) => head.type === type).slice(0, eachMax))
    },
    async eventHeadsWith(ids) {
      return newest().filter(({ id }) => ids.includes(id))
    },
  }
}

function headOf(
  tables: MemoryTables,
  { id, type, version, source, causationId, recordedAtMs, seq }: StoredEvent,
): EventHead {
  const publisher = tables.publishers.get(seq) ?? null
  return { id, type, version, source, causationId, recordedAtMs, publisher }
}

type LetterInspection = Pick<InspectPort, 'deadLetters' | 'deadLetter' | 'deadLetterGroups'>

function letterInspection(tables: MemoryTables): LetterInspection {
  return {
    async deadLetters(query) {
      const letters = lettersMatching(tables, query).filter(({ state }) => (query.state ?? state) === state)
      return pageOf('letters', letters, query, ({ deathNumber }) => deathNumber, letterView)
    },
    async deadLetter(id) {
      const letter = tables.letters.get(id)
      return letter === undefined ? null : letterView(letter)
    },
    async deadLetterGroups(filter) {
      const dead = lettersMatching(tables, filter).filter(({ state }) => state === 'dead')
      return groupLetters(dead, tables.now())
    },
  }
}

interface Numbered<Row> {
  readonly row: Row
  readonly number: number
}

const byNumber = ({ number }: Numbered<unknown>) => number

/** Rows that are never removed, in the order in which they were added. */
function numbered<Row>(rows: ReadonlyMap<string, Row>): Numbered<Row>[] {
  return [...rows.values()].map((row, number) => ({ row, number }))
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

function asked({ id, actor, action, target, after, before }: AuditQuery) {
  const fits = (pattern: string | undefined, text: string) =>
    pattern === undefined || new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`, 's').test(text)
  return (row: AuditRow) =>
    (id === undefined || row.id === id) &&
    (actor === undefined || row.actor === actor) &&
    fits(action, row.action) &&
    fits(target, row.target) &&
    (after === undefined || row.atMs >= after.getTime()) &&
    (before === undefined || row.atMs < before.getTime())
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
