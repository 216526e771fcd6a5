// Compares what publishers were told with what became of it: in the log, in the effects, at the sink.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Eventspine } from 'eventspine'
import { transactional } from './app.js'
import type { OwnServer } from './engine.js'
import { type JournalRead, type Publication, readJournals } from './journal.js'
import type { HandlerRun } from './sink.js'

const pageRowsMax = 20_000
const shownMax = 5

/** Each must be 0, but `recovered` and `duplicateRuns`. */
export interface Counts {
  /** Acknowledged and neither completed nor dead, over all subscriptions. */
  readonly lost: number
  /** Delivered although the publisher was told that it is not stored, or an effect of an attempt that failed. */
  readonly aborted: number
  /** In doubt and delivered. */
  readonly recovered: number
  readonly duplicateEffects: number
  /** Runs of the plain handler beyond one for each event: at least once, honestly. */
  readonly duplicateRuns: number
  /** Events of a key whose effects stand in another order than they were published. */
  readonly orderBreaks: number
  /** Committed attempts of one key that overlap. */
  readonly concurrentKey: number
  /** Neither here nor there, or in two final states, after the drain. */
  readonly limbo: number
  /** Answers to a publish that no documentation names. */
  readonly wrongAnswers: number
}

export interface Ledger {
  readonly counts: Counts
  readonly journal: JournalRead
  readonly published: number
  readonly acknowledged: number
  readonly plainRuns: number
  /** Some of what is wrong, in words. */
  readonly evidence: readonly string[]
}

interface Effect {
  readonly place: number
  readonly subscription: string
  readonly event: string
  readonly run: string
  readonly doomed: boolean
}

export class Auditor {
  readonly #server: OwnServer
  readonly #schema: string
  readonly #evidence: string[] = []

  constructor(server: OwnServer, schema: string) {
    this.#server = server
    this.#schema = schema
  }

  async audit(observer: Eventspine, journals: readonly string[], sinkFile: string): Promise<Ledger> {
    const journal = await readJournals(journals)
    const { publications } = journal
    const runs = await readRuns(sinkFile)
    const effects = await this.#effects()
    const seen = seenBy(effects, runs)
    const of = (answer: Publication['answer']) => publications.filter((each) => each.answer === answer)
    const delivered = ({ event }: Publication) => [...seen.values()].some((events) => events.has(event))
    const plainRuns = runs.filter(({ subscription }) => subscription === 'plain')
    const counts = {
      lost: this.#lost(of('acked'), seen),
      aborted: this.#some(
        'aborted',
        [...of('refused').filter(delivered), ...effects.filter(({ doomed }) => doomed)].map(
          ({ event }) => event,
        ),
      ),
      recovered: of('unknown').filter(delivered).length,
      duplicateEffects: this.#duplicates(effects),
      duplicateRuns: plainRuns.length - new Set(plainRuns.map(({ event }) => event)).size,
      orderBreaks: await this.#orderBreaks(of('acked')),
      concurrentKey: this.#concurrent(effects, runs),
      limbo: await this.#limbo(observer),
      wrongAnswers: of('wrong').length,
    }
    return {
      ...{ counts, journal, published: publications.length, acknowledged: of('acked').length },
      ...{ plainRuns: plainRuns.length, evidence: this.#evidence },
    }
  }

  #some(what: string, which: readonly string[]): number {
    if (which.length > 0) this.#evidence.push(`${what}: ${which.slice(0, shownMax).join(' ')}`)
    return which.length
  }

  async #effects(): Promise<readonly Effect[]> {
    const effects: Effect[] = []
    for (let after = 0; ; ) {
      const page = await this.#server.sql<Effect>(
        `SELECT place::float8 AS place, subscription, event, run, doomed FROM ${this.#schema}.effect
         WHERE place > $1 ORDER BY place LIMIT ${pageRowsMax}`,
        [after],
      )
      for (const effect of page) effects.push(effect)
      const last = page.at(-1)
      if (last === undefined || page.length < pageRowsMax) return effects
      after = last.place
    }
  }

  #lost(acked: readonly Publication[], seen: ReadonlyMap<string, ReadonlySet<string>>): number {
    return ['plain', ...transactional].reduce((sum, subscription) => {
      const missing = acked.filter(({ event }) => !seen.get(subscription)?.has(event))
      return (
        sum +
        this.#some(
          `lost by ${subscription}`,
          missing.map(({ event }) => event),
        )
      )
    }, 0)
  }

  #duplicates(effects: readonly Effect[]): number {
    const met = new Set<string>()
    const again: string[] = []
    for (const { subscription, event } of effects) {
      const name = `${subscription}/${event}`
      if (met.has(name)) again.push(name)
      met.add(name)
    }
    return this.#some('duplicate effects', again)
  }

  // Acknowledged before the next of its key was published: the log holds them in this order, whatever it says itself.
  async #orderBreaks(acked: readonly Publication[]): Promise<number> {
    const numbers = new Map(acked.map(({ event, n }) => [event, n]))
    const broken: string[] = []
    const lists = await this.#server.sql<{ key: string; events: string[] }>(
      `SELECT key, events FROM ${this.#schema}.list`,
    )
    for (const { key, events } of lists) {
      const known = events.filter((event) => numbers.has(event))
      known.forEach((event, index) => {
        const before = numbers.get(known[index - 1] ?? '') ?? -1
        if ((numbers.get(event) ?? 0) <= before) broken.push(`${key}: ${known[index - 1]} ${event}`)
      })
    }
    return this.#some('order', broken)
  }

  #concurrent(effects: readonly Effect[], runs: readonly HandlerRun[]): number {
    const committed = new Set(effects.filter((each) => each.subscription === 'ordered').map(({ run }) => run))
    const last = new Map<string, HandlerRun>()
    const overlapping: string[] = []
    for (const run of runs) {
      if (!committed.has(run.run)) continue
      const before = last.get(run.key)
      if (before !== undefined && before.endedAt > run.beganAt) overlapping.push(`${before.run} ${run.run}`)
      if (before === undefined || run.endedAt > before.endedAt) last.set(run.key, run)
    }
    return this.#some('concurrent key', overlapping)
  }

  async #limbo(observer: Eventspine): Promise<number> {
    const schema = this.#schema
    const { subscriptions } = await observer.operator().doctor()
    const unbalanced = subscriptions.filter((each) => !each.balanced || each.retrying + each.skipped > 0)
    const counts = await this.#server.sql<{ name: string; wrong: number }>(
      `SELECT c.subscription AS name, (sum(c.matched) - (SELECT count(*) FROM ${schema}.event e
         WHERE e.type = CASE c.subscription WHEN 'echo' THEN 'crash.echoed' ELSE 'crash.happened' END))::int AS wrong
       FROM ${schema}.consumer c GROUP BY c.subscription`,
    )
    const twice = await this.#server.sql<{ name: string }>(
      `SELECT subscription || '/' || seq AS name FROM (
         SELECT r.subscription, r.epoch, o.seq FROM ${schema}.run r,
           ROWS FROM (unnest(r.seqs), unnest(r.outcomes)) AS o(seq, outcome)
         WHERE coalesce(o.outcome, 'd') = 'd') AS done
       GROUP BY subscription, epoch, seq HAVING count(*) > 1`,
    )
    return (
      this.#some(
        'unbalanced',
        unbalanced.map(({ name }) => name),
      ) +
      this.#some(
        'completed twice',
        twice.map(({ name }) => name),
      ) +
      counts.reduce((sum, { name, wrong }) => {
        if (wrong !== 0) this.#evidence.push(`${name}: ${wrong} more matched than there are in the log`)
        return sum + Math.abs(wrong)
      }, 0)
    )
  }
}

/** Subscription → events that it completed: those with an effect, for the plain one those whose handler came through. */
function seenBy(effects: readonly Effect[], runs: readonly HandlerRun[]) {
  const seen = new Map<string, Set<string>>()
  const add = (subscription: string, event: string) => {
    const events = seen.get(subscription) ?? new Set()
    seen.set(subscription, events.add(event))
  }
  for (const { subscription, event } of effects) add(subscription, event)
  for (const { subscription, event, endedAt } of runs)
    if (subscription === 'plain' && Number.isFinite(endedAt)) add(subscription, event)
  return seen
}

/** In the order in which they began. */
async function readRuns(file: string): Promise<readonly HandlerRun[]> {
  const runs = new Map<string, HandlerRun & { endedAt: number }>()
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const [at, word, run = '', subscription = '', event = '', key = ''] = line.split(' ')
    const begun = runs.get(run)
    if (word === 'end' && begun !== undefined) begun.endedAt = Number(at)
    else if (word === 'begin')
      runs.set(run, { run, subscription, event, key, beganAt: Number(at), endedAt: Number.POSITIVE_INFINITY })
  }
  return [...runs.values()]
}
