// Compares what publishers were told with what became of it. It reads nothing but the evidence of a run, so that each of
// its counts can be tested with evidence of that fault alone.
import type { Effect, Evidence } from './evidence.js'
import { type SubscriptionName, staysDead, subscriptions } from './fates.js'
import type { JournalRead, Publication } from './journal.js'
import { wrongPurchases } from './purchases.js'
import type { HandlerRun } from './sink.js'

const shownMax = 5

/** What must be 0. */
export const faultCounts = [
  'lost',
  'aborted',
  'duplicateEffects',
  'orderBreaks',
  'concurrentKey',
  'limbo',
  'wrongAnswers',
  'money',
] as const

export interface Counts extends Readonly<Record<(typeof faultCounts)[number], number>> {
  // lost: acknowledged and neither completed nor dead, over all subscriptions.
  // aborted: delivered although nobody published it or its publisher was told that it is not stored; an effect of an
  //   attempt that failed, or without its other half.
  // orderBreaks: events of a key whose effects stand in another order than they were published.
  // concurrentKey: committed attempts of one key that overlap.
  // limbo: stored and in no final state after the drain, or in two, or not counted as what it is.
  // wrongAnswers: answers to a publish that no documentation names.
  // money: purchases whose charge is neither an order nor given back, or more than one of them.
  /** In doubt and delivered. */
  readonly recovered: number
  /** Runs beyond those that completed or failed: at least once, honestly. Of them, those that may call the world. */
  readonly duplicateRuns: number
  readonly duplicatePlainRuns: number
}

export interface Ledger {
  readonly counts: Counts
  readonly journal: JournalRead
  readonly published: number
  readonly acknowledged: number
  readonly runs: number
  readonly plainRuns: number
  readonly deadLetters: number
  readonly purchases: number
  /** Some of what is wrong, in words. */
  readonly evidence: readonly string[]
}

type Ends = ReadonlyMap<SubscriptionName, ReadonlySet<string>>

export function ledgerOf(evidence: Evidence): Ledger {
  return new Audit(evidence).ledger()
}

class Audit {
  readonly #given: Evidence
  readonly #completed: Ends
  readonly #dead: Ends
  readonly #acked: readonly Publication[]
  readonly #complaints: string[] = []

  constructor(given: Evidence) {
    this.#given = given
    this.#completed = completedBy(given)
    const dead = given.letters.filter(({ state }) => state === 'dead' || state === 'redriving')
    this.#dead = bySubscription(dead)
    this.#acked = given.journal.publications.filter(({ answer }) => answer === 'acked')
  }

  ledger(): Ledger {
    const { journal, runs, letters } = this.#given
    const plainRuns = runs.filter(({ subscription }) => subscription === 'plain')
    const counts = {
      lost: this.#lost(),
      aborted: this.#aborted(),
      recovered: journal.publications.filter(
        ({ answer, event }) => answer === 'unknown' && this.#delivered(event),
      ).length,
      duplicateEffects: this.#duplicates(),
      duplicateRuns: this.#repeated(runs),
      duplicatePlainRuns: this.#repeated(plainRuns),
      orderBreaks: this.#orderBreaks(),
      concurrentKey: this.#concurrent(),
      limbo: this.#limbo(),
      wrongAnswers: journal.publications.filter(({ answer }) => answer === 'wrong').length,
      money: this.#some('wrong purchases', wrongPurchases(this.#given.purchases)),
    }
    return {
      ...{ counts, journal, published: journal.publications.length, acknowledged: this.#acked.length },
      ...{ runs: runs.length, plainRuns: plainRuns.length, deadLetters: letters.length },
      purchases: this.#given.purchases.length,
      evidence: this.#complaints,
    }
  }

  #some(what: string, which: readonly string[]): number {
    if (which.length > 0)
      this.#complaints.push(`${which.length} ${what}: ${which.slice(0, shownMax).join(', ')}`)
    return which.length
  }

  #delivered(event: string): boolean {
    return [...this.#completed.values()].some((events) => events.has(event))
  }

  // What dies in the first subscription is never echoed.
  #isDue(subscription: SubscriptionName, event: string): boolean {
    return subscription !== 'echo' || this.#completed.get('plain')?.has(event) === true
  }

  #isEnded(subscription: SubscriptionName, event: string): boolean {
    return (
      this.#completed.get(subscription)?.has(event) === true ||
      this.#dead.get(subscription)?.has(event) === true
    )
  }

  #lost(): number {
    return sum(subscriptions, (subscription) =>
      this.#some(
        `lost by ${subscription}`,
        this.#acked
          .map(({ event }) => event)
          .filter((event) => this.#isDue(subscription, event) && !this.#isEnded(subscription, event)),
      ),
    )
  }

  #aborted(): number {
    const { journal, runs, effects, lists, log } = this.#given
    const answers = new Map(journal.publications.map(({ event, answer }) => [event, answer]))
    const stored = [...log, ...runs.map(({ event }) => event), ...effects.map(({ event }) => event)]
    const unheard = [...new Set(stored)].filter((event) => (answers.get(event) ?? 'refused') === 'refused')
    const ends = new Map(runs.map(({ run, ended }) => [run, ended]))
    const unended = effects.filter(({ run, failed }) => failed || ends.get(run) !== 'end')
    const listed = [...lists.values()].flat()
    const [inList, inEffects] = [new Set(listed), this.#completed.get('ordered') ?? new Set<string>()]
    const halves = [...inList].filter((event) => !inEffects.has(event))
    const others = [...inEffects].filter((event) => !inList.has(event))
    return (
      this.#some('delivered or stored, and nobody was told so', unheard) +
      this.#some(
        'effects of attempts that did not come to their end',
        unended.map(({ subscription, event }) => `${subscription}/${event}`),
      ) +
      this.#some('half effects', [...halves, ...others])
    )
  }

  #duplicates(): number {
    const { effects, log } = this.#given
    return (
      this.#some('effects twice', repeated(effects.map((each) => `${each.subscription}/${each.event}`))) +
      this.#some('stored twice', repeated(log))
    )
  }

  #repeated(runs: readonly HandlerRun[]): number {
    const completed = new Set(
      runs
        .filter(({ subscription, event }) =>
          this.#completed.get(subscription as SubscriptionName)?.has(event),
        )
        .map(({ subscription, event }) => `${subscription}/${event}`),
    )
    return runs.filter(({ ended }) => ended !== 'fail').length - completed.size
  }

  // Acknowledged before the next of its key was published: the log holds them in this order, whatever it says itself.
  #orderBreaks(): number {
    const numbers = new Map(this.#acked.map(({ event, n }) => [event, n]))
    const broken: string[] = []
    for (const [key, events] of this.#given.lists) {
      const known = events.filter((event) => numbers.has(event))
      known.forEach((event, index) => {
        const before = numbers.get(known[index - 1] ?? '') ?? -1
        if ((numbers.get(event) ?? 0) <= before) broken.push(`${key}: ${known[index - 1]} ${event}`)
      })
    }
    return this.#some('out of order', broken)
  }

  #concurrent(): number {
    const { effects, runs } = this.#given
    const committed = new Set(effects.filter((each) => each.subscription === 'ordered').map(({ run }) => run))
    const last = new Map<string, HandlerRun>()
    const overlapping: string[] = []
    for (const run of runs) {
      if (!committed.has(run.run)) continue
      const before = last.get(run.key)
      if (before !== undefined && before.endedAt > run.beganAt) overlapping.push(`${before.run} ${run.run}`)
      if (before === undefined || run.endedAt > before.endedAt) last.set(run.key, run)
    }
    return this.#some('of one key at once', overlapping)
  }

  #limbo(): number {
    const { open, endedTwice, log } = this.#given
    const acked = new Set(this.#acked.map(({ event }) => event))
    const nowhere = subscriptions.flatMap((subscription) =>
      log
        .filter((event) => !acked.has(event))
        .filter((event) => this.#isDue(subscription, event) && !this.#isEnded(subscription, event))
        .map((event) => `${subscription}/${event}`),
    )
    return (
      this.#some('open after the drain', open) +
      this.#some('stored and nowhere', nowhere) +
      this.#some('both dead and completed, or dead and not to be', this.#wronglyDead()) +
      this.#some('ended twice', endedTwice) +
      this.#miscounted()
    )
  }

  #wronglyDead(): string[] {
    return this.#given.letters
      .filter(({ subscription, event, n, state }) => {
        const name = subscription as SubscriptionName
        const completed = this.#completed.get(name)?.has(event) === true
        return state === 'dead' ? completed || !staysDead(name, n) : !completed
      })
      .map(({ subscription, event, state }) => `${subscription}/${event} ${state}`)
  }

  // What the library shows must be what others saw.
  #miscounted(): number {
    const { counted, log, echoes } = this.#given
    return sum(counted, ({ name, matched, completed, dead, skipped, balanced }) => {
      const subscription = name as SubscriptionName
      if (name.startsWith('workflow-'))
        return balanced ? 0 : this.#some('miscounted', [`${name} is not balanced`])
      const [done, gone] = [this.#completed.get(subscription)?.size, this.#dead.get(subscription)?.size]
      const shown = `matched ${matched}, completed ${completed}, dead ${dead}, skipped ${skipped}`
      const seen = `matched ${name === 'echo' ? echoes : log.length}, completed ${done ?? 0}, dead ${gone ?? 0}, skipped 0`
      const complaints = shown === seen ? [] : [`${name}: ${shown}, but seen: ${seen}`]
      return this.#some('miscounted', balanced ? complaints : [...complaints, `${name} is not balanced`])
    })
  }
}

/** Those with an effect; for the plain one those whose handler came through. */
function completedBy({ effects, runs }: Pick<Evidence, 'effects' | 'runs'>): Ends {
  const came = runs.filter(({ subscription, ended }) => subscription === 'plain' && ended === 'end')
  return bySubscription([...effects, ...came])
}

function bySubscription(ends: readonly Pick<Effect, 'subscription' | 'event'>[]): Ends {
  const events = new Map<SubscriptionName, Set<string>>(subscriptions.map((name) => [name, new Set()]))
  for (const { subscription, event } of ends) events.get(subscription as SubscriptionName)?.add(event)
  return events
}

function repeated(names: readonly string[]): string[] {
  const met = new Set<string>()
  return names.filter((name) => met.size === met.add(name).size)
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number) =>
  items.reduce((total, item) => total + of(item), 0)
