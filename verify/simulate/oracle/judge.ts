// The verdict over a schedule that came to its end: what the tables hold, what processes saw, and what publishers were
// told must agree in every respect.
import { consumerId, type StoredEvent, snapshotOf } from '../engine.js'
import type { World } from '../world.js'
import { judgeChains } from './chain.js'
import { judgeEffects } from './effects.js'
import { judgeOrder } from './order.js'
import { judgePublications } from './publications.js'

/** The whole log in its one order. */
export interface Log {
  readonly events: readonly StoredEvent[]
  readonly bySeq: ReadonlyMap<number, StoredEvent>
}

export async function judge(world: World): Promise<void> {
  const log = readLog(world)
  judgePublications(world, log)
  judgeChains(world, log)
  judgeEffects(world, log)
  judgeOrder(world, log)
  judgePauses(world)
  judgeIdentity(world)
  await judgeCounts(world)
}

function readLog({ tables }: World): Log {
  const events = tables.ticks.flatMap(({ number, after, snapshot }) =>
    tables
      .eventsBetween(snapshotOf(after), snapshotOf(snapshot))
      .map((event) => ({ ...event, tick: number })),
  )
  return { events, bySeq: new Map(events.map((event) => [event.seq, event])) }
}

function judgePauses({ ledger }: World): void {
  for (const { subscription, ackedAt, until } of ledger.pauses)
    for (const run of ledger.runs)
      if (run.subscription === subscription && run.startedAt > ackedAt && run.startedAt < until)
        ledger.violated('I24', `${run.deliveryId} started in ${run.process} while ${subscription} was paused`)
}

/** Every attempt of one delivery bears one id, and no two deliveries share one. */
function judgeIdentity({ ledger }: World): void {
  const places = new Map<string, string>()
  for (const { deliveryId, subscription, replay, seq, fact } of ledger.runs) {
    const place = `${subscription} ${replay} ${seq} ${fact}`
    const known = places.get(deliveryId)
    if (known !== undefined && known !== place)
      ledger.violated('I16', `delivery id ${deliveryId} stands for "${known}" and for "${place}"`)
    places.set(deliveryId, place)
  }
}

async function judgeCounts({ ledger, store, tables, watch }: World): Promise<void> {
  for (const {
    name,
    matched,
    completed,
    retrying,
    dead,
    discarded,
    skipped,
  } of await store.subscriptions()) {
    if (matched !== completed + retrying + dead + discarded + skipped)
      ledger.violated(
        'I18',
        `${name}: ${matched} matched, ${completed} completed + ${retrying} retrying + ${dead} dead + ${discarded} discarded + ${skipped} skipped`,
      )
  }
  for (const consumer of tables.consumers.values()) {
    const done = ledger
      .commitsOf(consumer)
      .flatMap(({ settlement }) => settlement.runs.filter(({ outcome }) => outcome === 'done'))
    if (done.length !== consumer.completed)
      ledger.violated(
        'I18',
        `${consumerId(consumer)} counts ${consumer.completed} completed, ${done.length} were recorded`,
      )
  }
  for (const [id, { state }] of watch.rows) ledger.violated('I12', `row ${id} was ${state} and is gone`)
}
