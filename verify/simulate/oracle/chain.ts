// One consumer's settlements, one after another: the cursor moves forward only, passes nothing that it does not record,
// and each delivery ends once.
import {
  type ConsumerRow,
  comparePositions,
  consumerId,
  hash32,
  type Position,
  type Settlement,
  type StoredEvent,
} from '../engine.js'
import type { Commit } from '../ledger.js'
import type { SubscriptionPlan } from '../plan.js'
import { effectType } from '../subject.js'
import type { World } from '../world.js'
import type { Log } from './judge.js'

export function judgeChains(world: World, log: Log): void {
  for (const consumer of world.tables.consumers.values()) {
    const plan = world.plan.subscriptions.find(({ name }) => name === consumer.subscription)
    if (plan !== undefined) new Chain(world, log, consumer, plan).judge()
  }
  judgeStarts(world, log)
}

/** What failed because its database did not answer is given a few attempts more: found by seed 30016842. */
const wasInterrupted = /its database did not answer$/
const interruptionsMax = 3

class Chain {
  readonly #world: World
  readonly #log: Log
  readonly #consumer: ConsumerRow
  readonly #plan: SubscriptionPlan
  readonly #id: string
  /** Per delivery: where it stands. */
  readonly #states = new Map<
    number,
    { open: boolean; done: boolean; deadRound: number; attempt: number; round: number }
  >()

  constructor(world: World, log: Log, consumer: ConsumerRow, plan: SubscriptionPlan) {
    this.#world = world
    this.#log = log
    this.#consumer = consumer
    this.#plan = plan
    this.#id = consumerId(consumer)
  }

  judge(): void {
    const { ledger } = this.#world
    const commits = [...ledger.commitsOf(this.#consumer)].sort(
      (a, b) => a.settlement.revision - b.settlement.revision,
    )
    const stoppedAt = ledger.replaysStopped.get(this.#consumer.replay) ?? Number.POSITIVE_INFINITY
    let cursor: Position | undefined = ledger.starts.get(this.#id)
    let before: Settlement | undefined
    for (const commit of commits) {
      const { settlement } = commit
      if (cursor === undefined || before === undefined) cursor ??= settlement
      if (before !== undefined && settlement.token < before.token)
        ledger.violated(
          'I34',
          `${this.#id}: revision ${settlement.revision} was settled under token ${settlement.token}, the one before under ${before.token}`,
        )
      if (comparePositions(settlement, cursor) < 0)
        ledger.violated('I17', `${this.#id}: the cursor went back to ${settlement.tick}.${settlement.seq}`)
      // A replay that was stopped stands at its end; a letter of it that is redriven is settled there.
      if (commit.order <= stoppedAt) this.#passed(cursor, commit)
      this.#recorded(commit)
      cursor = settlement
      before = settlement
    }
    if (!ledger.replaysStopped.has(this.#consumer.replay)) this.#ended()
  }

  // Between the two cursors stand exactly the fresh deliveries that this settlement records.
  #passed(from: Position, { settlement }: Commit): void {
    const { ledger } = this.#world
    const expected = this.#log.events.filter(
      (event) =>
        comparePositions(event, from) > 0 && comparePositions(event, settlement) <= 0 && this.#wanted(event),
    )
    const rows = new Set(settlement.closed.map(({ seq }) => seq))
    const again = new Set(settlement.rescheduled.map(({ seq }) => seq))
    const fresh = new Set([
      ...settlement.opened.map(({ event }) => event.seq),
      ...settlement.runs.map(({ seq }) => seq).filter((seq) => !rows.has(seq) && !again.has(seq)),
    ])
    for (const { seq } of expected)
      if (!fresh.has(seq))
        ledger.violated('I17', `${this.#id}: the cursor passed seq ${seq} and nothing of it was recorded`)
    const passed = new Set(expected.map(({ seq }) => seq))
    for (const seq of fresh)
      if (!passed.has(seq))
        ledger.violated('I3', `${this.#id}: seq ${seq} was recorded, but the cursor did not pass it then`)
    if (settlement.counts.matched !== expected.length)
      ledger.violated(
        'I18',
        `${this.#id}: ${settlement.counts.matched} counted as matched, ${expected.length} are`,
      )
  }

  #recorded({ settlement }: Commit): void {
    const { ledger } = this.#world
    const states = this.#states
    const stateOf = (seq: number) => {
      const state = states.get(seq) ?? { open: false, done: false, deadRound: -1, attempt: 0, round: 0 }
      states.set(seq, state)
      return state
    }
    for (const { event } of settlement.opened) stateOf(event.seq).open = true
    for (const { seq } of settlement.closed) stateOf(seq).open = false
    for (const { seq, outcome, round, attempt, failure } of settlement.runs) {
      const state = stateOf(seq)
      const where = `${this.#id}: seq ${seq}`
      if (state.done) ledger.violated('I15', `${where} ran to ${outcome} after it was completed`)
      if (state.deadRound >= round)
        ledger.violated('I15', `${where} ran to ${outcome} in round ${round} after it had died`)
      if (round === state.round && attempt <= state.attempt)
        ledger.violated(
          'I19',
          `${where}: attempt ${attempt} of round ${round} was recorded after attempt ${state.attempt}`,
        )
      const attemptsMax =
        this.#plan.attemptsMax + (wasInterrupted.test(failure?.message ?? '') ? interruptionsMax : 0)
      if (outcome === 'retry' && attempt >= attemptsMax)
        ledger.violated('I19', `${where} is retried after attempt ${attempt} of ${this.#plan.attemptsMax}`)
      Object.assign(state, { round, attempt })
      if (outcome === 'done') state.done = true
      if (outcome === 'dead') state.deadRound = round
    }
    for (const { event, round } of settlement.dead)
      if (stateOf(event.seq).deadRound !== round)
        ledger.violated('I28', `${this.#id}: seq ${event.seq} died without a run`)
    if (this.#consumer.replay !== '' && settlement.published.length > 0)
      ledger.violated('I30', `${this.#id} published`)
  }

  /** Every delivery is completed, or dead with its letter. */
  #ended(): void {
    const { ledger, tables } = this.#world
    for (const event of this.#log.events) {
      const start = ledger.starts.get(this.#id)
      if (start === undefined || comparePositions(event, start) <= 0 || !this.#wanted(event)) continue
      const state = this.#states.get(event.seq)
      const id = `${this.#consumer.subscription}/${event.epoch}.${event.seq}${this.#consumer.replay === '' ? '' : `~${this.#consumer.replay}`}`
      const letter = tables.letters.get(id)
      if (state === undefined || (!state.done && state.deadRound < 0))
        ledger.violated('I12', `${id} (${event.data}) never ended`)
      else if (
        !state.done &&
        (letter === undefined || (letter.state !== 'dead' && letter.state !== 'discarded'))
      )
        ledger.violated('I28', `${id} died and has no dead letter, it is ${letter?.state}`)
      else if (state.done && letter !== undefined && letter.state !== 'redriven')
        ledger.violated('I15', `${id} is completed, and its letter is ${letter.state}`)
      else if (state.done && state.deadRound >= 0 && letter === undefined)
        ledger.violated('I28', `${id} was redriven and its letter is gone`)
    }
  }

  #wanted(event: StoredEvent): boolean {
    return wants(this.#plan, this.#consumer, event)
  }
}

function wants(
  plan: SubscriptionPlan,
  { shard, untilTick, fromTimeMs }: ConsumerRow,
  event: StoredEvent,
): boolean {
  if (event.type === effectType || (event.type !== 'orders.placed' && !plan.follows)) return false
  if (plan.filtered && event.tenant !== 'tenant-0') return false
  if (plan.shards > 1 && hash32(event.key ?? event.id) % plan.shards !== shard) return false
  return (
    (untilTick === null || event.tick <= untilTick) &&
    (fromTimeMs === null || event.recordedAtMs >= fromTimeMs)
  )
}

/** What was acknowledged before a subscription was there is not for one that begins now; what came after it is. */
function judgeStarts({ plan, ledger, tables }: World, log: Log): void {
  const facts = new Map(
    log.events.map((event) => [(JSON.parse(event.data ?? '{}') as { fact?: string }).fact, event]),
  )
  for (const subscription of plan.subscriptions) {
    for (const consumer of tables.consumersOf(subscription.name, '')) {
      const start = ledger.starts.get(consumerId(consumer))
      if (start === undefined) continue
      for (const fact of ledger.facts.values()) {
        const event = facts.get(fact.name)
        if (event === undefined) continue
        const behind = comparePositions(event, start) > 0
        if (!behind && (subscription.start === 'beginning' || fact.calledAt > ledger.registeredAt))
          ledger.violated('I13', `${consumerId(consumer)} begins behind ${fact.name}, which is for it`)
      }
    }
  }
}
