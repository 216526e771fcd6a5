// What a settlement leaves behind: rows opened, put off and closed, dead letters, run history, a replay's end.
import type { StoredEvent } from '../../event/stored.js'
import { assert } from '../../kernel/index.js'
import type { DeadDelivery, Run, Settlement } from '../../settle/port.js'
import { completeReplays } from './replay.js'
import { type ConsumerRow, type DeliveryRow, idOf, type LetterRow, placeOf } from './rows.js'
import type { MemoryTables } from './tables.js'

export function recordOutcomes(
  tables: MemoryTables,
  consumer: ConsumerRow,
  worker: string,
  settlement: Settlement,
): void {
  closeRows(tables, consumer, settlement)
  openRows(tables, consumer, settlement)
  putOffRows(tables, consumer, settlement)
  for (const dead of settlement.dead) bury(tables, consumer, dead)
  recordRuns(tables, consumer, worker, settlement)
  consumer.finished = settlement.finished
  if (settlement.finished) completeReplays(tables)
}

function closeRows(tables: MemoryTables, consumer: ConsumerRow, { closed, dead }: Settlement): void {
  const died = new Set(dead.map(({ event }) => placeOf(event)))
  for (const delivery of closed) {
    const place = placeOf(delivery)
    consumer.deliveries.delete(place)
    if (!died.has(place)) redeem(tables, tables.letters.get(idOf(consumer, delivery)))
  }
}

function openRows(tables: MemoryTables, consumer: ConsumerRow, { opened }: Settlement): void {
  for (const { event, state, attempt, round, deaths, dueInMs, failure } of opened) {
    const place = placeOf(event)
    assert(!consumer.deliveries.has(place), `delivery ${idOf(consumer, event)} was opened twice`)
    const dueAtMs = tables.now() + dueInMs
    const { token } = consumer
    const row: DeliveryRow = {
      event,
      state,
      attempt,
      round,
      deaths,
      token,
      dueAtMs,
      failure,
      redrive: null,
    }
    consumer.deliveries.set(place, row)
  }
}

function putOffRows(tables: MemoryTables, consumer: ConsumerRow, { rescheduled }: Settlement): void {
  for (const { dueInMs, failure, counted, ...delivery } of rescheduled) {
    const row = consumer.deliveries.get(placeOf(delivery))
    if (row === undefined) continue
    row.state = 'retry'
    row.dueAtMs = tables.now() + dueInMs
    row.failure = failure ?? row.failure
    if (!counted) row.attempt--
    // It ran to an end of its own: whatever killed the process before, it was not this.
    else row.deaths = 0
  }
}

function bury(tables: MemoryTables, consumer: ConsumerRow, dead: DeadDelivery): void {
  const id = idOf(consumer, dead.event)
  const known = tables.letters.get(id)
  assert(known === undefined || known.state === 'redriving', `delivery ${id} died twice in one round`)
  if (known !== undefined) return buryAgain(tables, known, dead)
  tables.letters.set(id, {
    id,
    consumer,
    event: dead.event,
    state: 'dead',
    attempts: dead.attempt,
    round: dead.round,
    failure: dead.failure,
    halts: dead.halts,
    deathNumber: tables.nextDeathNumber(),
    diedAtMs: tables.now(),
    redrive: null,
    selectedBy: null,
    resolvedAtMs: null,
    resolvedBy: null,
    reason: null,
  })
}

/** A redriven delivery failed again: the same letter, one round further, with the attempts of all rounds. */
function buryAgain(tables: MemoryTables, letter: LetterRow, dead: DeadDelivery): void {
  endItem(tables, letter, 'failed')
  letter.state = 'dead'
  letter.event = dead.event
  letter.attempts += dead.attempt
  letter.round = dead.round
  letter.failure = dead.failure
  letter.halts = dead.halts
  letter.deathNumber = tables.nextDeathNumber()
  letter.diedAtMs = tables.now()
}

function redeem(tables: MemoryTables, letter: LetterRow | undefined): void {
  if (letter?.state !== 'redriving') return
  endItem(tables, letter, 'succeeded')
  letter.state = 'redriven'
  letter.resolvedAtMs = tables.now()
  letter.resolvedBy = tables.redrives.get(letter.redrive ?? '')?.actor ?? null
}

function endItem(tables: MemoryTables, letter: LetterRow, state: 'succeeded' | 'failed'): void {
  tables.redrives.get(letter.redrive ?? '')?.items.set(letter.id, state)
}

function recordRuns(tables: MemoryTables, consumer: ConsumerRow, worker: string, { runs }: Settlement): void {
  const { subscription, replay, shard } = consumer
  for (const run of runs) {
    const row = { subscription, replay, shard, run: copyOf(run), worker, recordedAtMs: tables.now() }
    const known = tables.runs.get(placeOf(run))
    if (known === undefined) tables.runs.set(placeOf(run), [row])
    else known.push(row)
  }
}

/** The event of a letter with the data that an operator mended. */
export function mended(event: StoredEvent, editedData: string | null): StoredEvent {
  return editedData === null ? event : Object.freeze({ ...event, data: editedData, claim: null })
}

// A run is a live delivery of its consumer: what is kept must not hold on to it.
const copyOf = ({ epoch, seq, round, attempt, startedAtMs, durationMs, outcome, failure }: Run): Run => ({
  epoch,
  seq,
  round,
  attempt,
  startedAtMs,
  durationMs,
  outcome,
  failure,
})
