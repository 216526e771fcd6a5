// Redrive in memory: letters are taken in one step, a few go first, and the rest follows at the asked rate while
// they end well.
import { comparePositions, orderingKeyOf } from '../../event/stored.js'
import { EventspineError } from '../../kernel/index.js'
import type { DeadLetterFilter, Redrive, RedrivePort } from '../../redrive/port.js'
import { actOfRedrive } from '../act-of-redrive.js'
import { requireOneLetter } from '../one-letter.js'
import { groupLetters, lettersMatching } from './letters.js'
import { mended } from './outcome.js'
import { completeReplays } from './replay.js'
import { promoteWaiting } from './retry.js'
import { type LetterRow, placeOf, type RedriveItemState, type RedriveRow } from './rows.js'
import type { MemoryTables } from './tables.js'

/** What a redrive may catch up after nobody sent for a while. */
const burstSecondsMax = 2
/** So many must have ended before the error rate says anything, other than at the canary's end. */
const judgedMin = 10

type CreateRequest = Parameters<RedrivePort['createRedrive']>[1]

export function redrivePort(tables: MemoryTables): RedrivePort {
  return {
    async previewRedrive(filter, roundsMax) {
      const dead = freeLetters(tables, filter)
      const selected = dead.filter(({ round }) => round < roundsMax)
      return {
        selected: selected.length,
        guarded: dead.length - selected.length,
        groups: groupLetters(selected, tables.now()),
      }
    },
    async createRedrive(id, request) {
      return redriveDetails(sameRedrive(tables, id, request.idempotencyKey) ?? create(tables, id, request))
    },
    async advanceRedrives() {
      const running = [...tables.redrives.values()].filter(isRunning)
      for (const redrive of running) advance(tables, redrive)
      completeReplays(tables)
      return running.filter(isRunning).length
    },
    async stopRedrive(id, actor, given) {
      const reason = given ?? null
      const redrive = tables.redrives.get(id)
      if (redrive === undefined) {
        throw new EventspineError('NOT_FOUND', `There is no redrive "${id}".`)
      }
      if (isRunning(redrive)) {
        const { state: before } = redrive
        const { selected, sent } = countItems(redrive)
        stop(tables, redrive, reason)
        tables.audit(actor, 'redrive.stop', id, { before, after: 'stopped', selected, sent, reason })
      }
      return redriveDetails(redrive)
    },
    async discard(filter, actor, reason) {
      const letters = lettersMatching(tables, filter).filter(({ state }) => state === 'dead')
      for (const letter of letters) discardLetter(tables, letter, actor, reason)
      if (letters.length > 0) {
        const target = filter.subscription ?? 'dead letters'
        tables.audit(actor, 'dead-letters.discard', target, { filter, reason, count: letters.length })
      }
      return letters.length
    },
    async redrive(id) {
      const redrive = tables.redrives.get(id)
      return redrive === undefined ? null : redriveDetails(redrive)
    },
  }
}

const isRunning = ({ state }: RedriveRow) => state === 'canary' || state === 'running'

/** Dead letters that no redrive has chosen, in log order. */
function freeLetters(tables: MemoryTables, filter: DeadLetterFilter): LetterRow[] {
  return lettersMatching(tables, filter)
    .filter(({ state, selectedBy }) => state === 'dead' && selectedBy === null)
    .sort((a, b) => comparePositions(a.event, b.event))
}

function sameRedrive(tables: MemoryTables, id: string, key: string | undefined): RedriveRow | undefined {
  const redrives = [...tables.redrives.values()]
  return (
    tables.redrives.get(id) ??
    redrives.find(({ idempotencyKey }) => key !== undefined && idempotencyKey === key)
  )
}

function create(tables: MemoryTables, id: string, request: CreateRequest): RedriveRow {
  const letters = freeLetters(tables, request.filter).filter(({ round }) => round < request.roundsMax)
  if (request.editedData !== null) requireOneLetter(request, letters.length)
  const redrive = newRedrive(tables.now(), id, request)
  for (const letter of letters) {
    letter.selectedBy = redrive
    redrive.items.set(letter.id, 'selected')
  }
  endIfOver(tables, redrive)
  tables.redrives.set(id, redrive)
  const { action, target, details } = actOfRedrive(id, request, letters.length)
  tables.audit(request.actor, action, target, details)
  return redrive
}

function newRedrive(now: number, id: string, request: CreateRequest): RedriveRow {
  return {
    id,
    idempotencyKey: request.idempotencyKey ?? null,
    filter: request.filter,
    rate: request.rate,
    canary: request.canary,
    stopAtErrorRate: request.stopAtErrorRate,
    editedData: request.editedData,
    actor: request.actor,
    reason: request.reason ?? null,
    createdAtMs: now,
    state: request.canary > 0 ? 'canary' : 'running',
    note: null,
    // One may go at once.
    sentAtMs: now - 1000 / request.rate,
    endedAtMs: null,
    items: new Map(),
  }
}

function advance(tables: MemoryTables, redrive: RedriveRow): void {
  const { selected, succeeded, failed } = countItems(redrive)
  const canaryOpen = redrive.state === 'canary' && canaryOf(redrive).some(isOpen)
  const ended = succeeded + failed
  const telling = ended >= judgedMin || (redrive.state === 'canary' && !canaryOpen)
  if (telling && selected > 0 && failed > ended * redrive.stopAtErrorRate) {
    return stop(tables, redrive, `Stopped by itself: ${failed} of ${ended} that ended failed again.`)
  }
  endIfOver(tables, redrive)
  if (!isRunning(redrive)) return
  if (!canaryOpen) redrive.state = 'running'
  send(tables, redrive, canaryOpen ? canaryOf(redrive) : [...redrive.items])
}

type Item = readonly [string, RedriveItemState]

const isOpen = ([, state]: Item) => state === 'selected' || state === 'sent'
const canaryOf = ({ canary, items }: RedriveRow): Item[] => [...items].slice(0, canary)

/** Sends the next of `items`, no more than the rate has paid for, with a little saved up. */
function send(tables: MemoryTables, redrive: RedriveRow, items: readonly Item[]): void {
  const seconds = Math.min(
    (tables.now() - redrive.sentAtMs) / 1000,
    Math.max(burstSecondsMax, 1 / redrive.rate),
  )
  const paid = Math.floor(seconds * redrive.rate + 1e-6)
  const going = items.filter(([, state]) => state === 'selected').slice(0, paid)
  for (const [id] of going) sendLetter(tables, redrive, id)
  redrive.sentAtMs = tables.now() - Math.max(0, seconds - going.length / redrive.rate) * 1000
}

function sendLetter(tables: MemoryTables, redrive: RedriveRow, id: string): void {
  const letter = tables.letters.get(id)
  // Discarded since it was chosen: the redrive lets it go.
  if (letter?.state !== 'dead') return void redrive.items.set(id, 'released')
  const { consumer } = letter
  consumer.deliveries.set(placeOf(letter.event), {
    event: mended(letter.event, redrive.editedData),
    state: mustWait(tables, letter) ? 'waiting' : 'retry',
    attempt: 0,
    round: letter.round + 1,
    deaths: 0,
    token: 0,
    dueAtMs: tables.now(),
    failure: null,
    redrive: redrive.id,
  })
  letter.state = 'redriving'
  letter.redrive = redrive.id
  letter.selectedBy = null
  if (consumer.replay !== '') {
    // The consumer of a replay that had ended wants an owner once more, and one that is about to record the end must not.
    consumer.finished = false
    consumer.revision += 2
  }
  redrive.items.set(id, 'sent')
}

/** Where order was asked for, one row of a key is active at a time: behind it this one waits, and is promoted first. */
function mustWait(tables: MemoryTables, { consumer, event }: LetterRow): boolean {
  const { ordered } = tables.subscription(consumer.subscription).policies
  if (event.key === null || ordered === undefined || ordered === 'no' || ordered === false) return false
  return [...consumer.deliveries.values()].some(
    (row) => orderingKeyOf(row.event) === orderingKeyOf(event) && row.state !== 'waiting',
  )
}

function stop(tables: MemoryTables, redrive: RedriveRow, note: string | null): void {
  for (const [id, state] of redrive.items) {
    if (state === 'selected') release(tables, redrive, id)
  }
  redrive.state = 'stopped'
  redrive.note = note
  redrive.endedAtMs = tables.now()
}

/** The letter was not sent. */
function release(tables: MemoryTables, redrive: RedriveRow, id: string): void {
  redrive.items.set(id, 'released')
  const letter = tables.letters.get(id)
  if (letter !== undefined) letter.selectedBy = null
}

function endIfOver(tables: MemoryTables, redrive: RedriveRow): void {
  if (!isRunning(redrive) || [...redrive.items].some(isOpen)) return
  redrive.state = 'completed'
  redrive.endedAtMs = tables.now()
}

function discardLetter(tables: MemoryTables, letter: LetterRow, actor: string, reason: string): void {
  letter.selectedBy = null
  letter.state = 'discarded'
  letter.resolvedAtMs = tables.now()
  letter.resolvedBy = actor
  letter.reason = reason
  // Nobody else would: the key's next delivery waited for this decision.
  const key = orderingKeyOf(letter.event)
  if (letter.halts && key !== null) promoteWaiting(tables, letter.consumer, [key])
}

function countItems(redrive: RedriveRow): Record<RedriveItemState, number> {
  const counts = { selected: 0, sent: 0, succeeded: 0, failed: 0, released: 0 }
  for (const state of redrive.items.values()) counts[state]++
  return counts
}

export function redriveView(redrive: RedriveRow): Redrive {
  const { sent, succeeded, failed } = countItems(redrive)
  return {
    id: redrive.id,
    state: redrive.state,
    filter: redrive.filter,
    rate: redrive.rate,
    canary: redrive.canary,
    stopAtErrorRate: redrive.stopAtErrorRate,
    selected: redrive.items.size,
    sent: sent + succeeded + failed,
    succeeded,
    failed,
    actor: redrive.actor,
    reason: redrive.reason,
    note: redrive.note,
    createdAtMs: redrive.createdAtMs,
    endedAtMs: redrive.endedAtMs,
    edited: redrive.editedData !== null,
  }
}

/** As it is shown where it is asked for alone. */
function redriveDetails(redrive: RedriveRow): Redrive {
  const { editedData } = redrive
  return { ...redriveView(redrive), ...(editedData !== null && { data: JSON.parse(editedData) as unknown }) }
}
