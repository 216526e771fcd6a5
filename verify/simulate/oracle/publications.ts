// What publishers were told against what the log holds: nothing acknowledged is missing, nothing refused is there,
// groups are whole, ids are used once for each tenant, and what came after an acknowledgement stands behind it.
import { comparePositions, type StoredEvent } from '../engine.js'
import { placed } from '../subject.js'
import type { World } from '../world.js'
import type { Log } from './judge.js'

export function judgePublications(world: World, log: Log): void {
  const stored = new Map<string, StoredEvent[]>()
  for (const event of log.events) {
    if (event.type !== placed.type) continue
    const { fact } = JSON.parse(event.data ?? '{}') as { readonly fact: string }
    stored.set(fact, [...(stored.get(fact) ?? []), event])
  }
  judgeFacts(world, stored)
  judgeGroups(world, stored)
  judgeIds(world, stored)
  judgeHappensBefore(world, stored)
}

function judgeFacts({ ledger, tally }: World, stored: ReadonlyMap<string, readonly StoredEvent[]>): void {
  for (const { name, acked, unknown, tenant } of ledger.facts.values()) {
    const events = stored.get(name) ?? []
    if (acked > 0 && events.length === 0)
      ledger.violated('I1', `${name} was acknowledged and is not in the log`)
    if (acked === 0 && unknown === 0 && events.length > 0)
      ledger.violated('I3', `${name} was refused or rolled back and is in the log`)
    if (events.length > 1) ledger.violated('I4', `${name} is in the log ${events.length} times`)
    if (events.some((event) => event.tenant !== tenant))
      ledger.violated('I60', `${name} has another tenant in the log`)
    if (acked === 0 && unknown > 0)
      tally.met(
        events.length > 0
          ? 'publish with unknown outcome in the log'
          : 'publish with unknown outcome not in the log',
      )
  }
  for (const name of stored.keys())
    if (!ledger.facts.has(name)) ledger.violated('I3', `nobody published ${name}`)
}

function judgeGroups({ ledger }: World, stored: ReadonlyMap<string, readonly StoredEvent[]>): void {
  const groups = new Map<string, { there: number; missing: number }>()
  for (const { name, group, id } of ledger.facts.values()) {
    // Under an id of its own a repeat elsewhere may have stored it.
    if (group === undefined || id !== undefined) continue
    const counts = groups.get(group) ?? { there: 0, missing: 0 }
    counts[stored.has(name) ? 'there' : 'missing']++
    groups.set(group, counts)
  }
  for (const [group, { there, missing }] of groups)
    if (there > 0 && missing > 0)
      ledger.violated('I2', `of ${group} ${there} are in the log and ${missing} are not`)
}

function judgeIds({ ledger, tally }: World, stored: ReadonlyMap<string, readonly StoredEvent[]>): void {
  const ids = new Map<string, string>()
  const tenants = new Map<string, string>()
  for (const { name, id, tenant } of ledger.facts.values()) {
    if (id === undefined || !stored.has(name)) continue
    const other = ids.get(`${tenant} ${id}`)
    if (other !== undefined)
      ledger.violated('I4', `${other} and ${name} are both in the log as ${id} of ${tenant}`)
    ids.set(`${tenant} ${id}`, name)
    if (tenants.has(id) && tenants.get(id) !== tenant) tally.met('same id of another tenant stored')
    tenants.set(id, tenant)
  }
}

function judgeHappensBefore({ ledger }: World, stored: ReadonlyMap<string, readonly StoredEvent[]>): void {
  const acked = [...ledger.facts.values()].flatMap((fact) => {
    const event = stored.get(fact.name)?.[0]
    return event === undefined || fact.ackedAt === null ? [] : [{ ...fact, ackedAt: fact.ackedAt, event }]
  })
  for (const first of acked)
    for (const second of acked)
      if (first.ackedAt < second.calledAt && comparePositions(first.event, second.event) > 0)
        ledger.violated(
          'I7',
          `${first.name} was acknowledged before ${second.name} was published and stands behind it`,
        )
}
