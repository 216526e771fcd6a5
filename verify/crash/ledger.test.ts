// Each count of the ledger, with evidence of that fault alone: a count that cannot be anything but 0 proves nothing.
import { expect, it } from 'vitest'
import type { Counted, Evidence, Letter } from './evidence.js'
import { subscriptions } from './fates.js'
import type { Answer } from './journal.js'
import { type Counts, ledgerOf } from './ledger.js'
import type { HandlerRun } from './sink.js'

const key = 'key'
const [first, second] = ['p0-1', 'p0-2']
const numberOf = (event: string) => Number(event.split('-')[1])

/** Handlers that came through: each a millisecond, one behind the other. */
const runsOf = (events: readonly string[]): HandlerRun[] =>
  events.flatMap((event, place) =>
    subscriptions.map((subscription, index) => ({
      ...{ run: `${subscription} ${event}`, subscription, event, key, ended: 'end' as const },
      ...{ beganAt: place * 10 + index, endedAt: place * 10 + index + 1 },
    })),
  )

const effectsOf = (events: readonly string[]) =>
  events.flatMap((event, place) =>
    ['ordered', 'any', 'echo'].map((subscription) => ({
      ...{ place, subscription, event, run: `${subscription} ${event}`, failed: false },
    })),
  )

const countedOf = (matched: number): Counted[] =>
  subscriptions.map((name) => ({ name, matched, completed: matched, dead: 0, skipped: 0, balanced: true }))

const told = (answer: Answer, ...events: readonly string[]) => ({
  publications: events.map((event) => ({ event, key, n: numberOf(event), answer })),
  ...{ codes: {}, unanswered: 0, slowestMs: 0 },
})

const sound: Evidence = {
  journal: told('acked', first, second),
  runs: runsOf([first, second]),
  effects: effectsOf([first, second]),
  lists: new Map([[key, [first, second]]]),
  ...{
    letters: [],
    log: [first, second],
    echoes: 2,
    counted: countedOf(2),
    open: [],
    endedTwice: [],
    purchases: [],
  },
}

const none: Omit<Counts, 'recovered' | 'duplicateRuns' | 'duplicatePlainRuns'> = {
  ...{
    lost: 0,
    aborted: 0,
    duplicateEffects: 0,
    orderBreaks: 0,
    concurrentKey: 0,
    limbo: 0,
    wrongAnswers: 0,
    money: 0,
  },
}
const letter = (subscription: string, event: string, state: string): Letter => ({
  ...{ subscription, event, state, n: numberOf(event) },
})
const without = (subscription: string) => ({
  runs: sound.runs.filter((each) => each.subscription !== subscription),
  effects: sound.effects.filter((each) => each.subscription !== subscription),
})

it('finds nothing where everything is as it should be', () => {
  expect(ledgerOf(sound).counts).toEqual({ ...none, recovered: 0, duplicateRuns: 0, duplicatePlainRuns: 0 })
})

const faults: readonly (readonly [string, Partial<Evidence>, Partial<Counts>])[] = [
  ['an acknowledged event without its effect', without('any'), { lost: 2, limbo: 1 }],
  [
    'an acknowledged event that is nowhere at all',
    { ...sound, journal: told('acked', first, second, 'p0-3') },
    { lost: 3 },
  ],
  ['an event that nobody published', { journal: told('acked', first) }, { aborted: 1 }],
  [
    'an event of which its publisher was told that it is not stored',
    { journal: told('refused', first, second) },
    { aborted: 2 },
  ],
  [
    'an effect whose handler failed',
    { effects: sound.effects.map((each, at) => (at === 1 ? { ...each, failed: true } : each)) },
    { aborted: 1 },
  ],
  [
    'an effect whose handler never came to its end',
    { runs: sound.runs.map((each) => (each.run === `any ${first}` ? { ...each, ended: 'cut' } : each)) },
    { aborted: 1 },
  ],
  ['half of an effect', { lists: new Map([[key, [first]]]) }, { aborted: 1 }],
  [
    'an effect twice',
    { effects: [...sound.effects, ...sound.effects.filter((each) => each.run === `any ${first}`)] },
    { duplicateEffects: 1 },
  ],
  ['an event that is stored twice', { log: [first, second, second] }, { duplicateEffects: 1, limbo: 3 }],
  ['a key out of order', { lists: new Map([[key, [second, first]]]) }, { orderBreaks: 1 }],
  [
    'two of a key at once',
    { runs: sound.runs.map((each) => (each.run === `ordered ${first}` ? { ...each, endedAt: 19 } : each)) },
    { concurrentKey: 1 },
  ],
  ['a delivery that is still open', { open: ['any/1 retry'] }, { limbo: 1 }],
  ['a delivery that ended twice', { endedTwice: ['any/1'] }, { limbo: 1 }],
  ['a dead letter of what completed', { letters: [letter('any', first, 'dead')] }, { limbo: 2 }],
  [
    'a stored event in doubt that is in no final state',
    { ...without('any'), journal: told('unknown', first, second) },
    { limbo: 3, recovered: 2 },
  ],
  [
    'a count that is not what was seen',
    { counted: countedOf(2).map((each) => (each.name === 'any' ? { ...each, completed: 3 } : each)) },
    { limbo: 1 },
  ],
  ['an answer that no documentation names', { journal: told('wrong', first, second) }, { wrongAnswers: 2 }],
  [
    'a run that is repeated',
    { runs: [...sound.runs, ...sound.runs.slice(0, 1).map((each) => ({ ...each, run: 'again' }))] },
    { duplicateRuns: 1, duplicatePlainRuns: 1 },
  ],
]

it.each(faults)('finds %s', (_, evidence, expected) => {
  const { counts } = ledgerOf({ ...sound, ...evidence })
  expect(counts).toEqual({ ...none, recovered: 0, duplicateRuns: 0, duplicatePlainRuns: 0, ...expected })
})
