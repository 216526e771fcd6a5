// What is to become of an event in a subscription, by its number: most come through, some fail at first, some die until
// an operator sends them again, some for good. The handlers act it, the ledger expects it.

/** Those whose effects are in the database, in the order of the log where it says so. */
export const transactional = ['any', 'ordered', 'echo'] as const
export const subscriptions = ['plain', ...transactional] as const
export type SubscriptionName = (typeof subscriptions)[number]

export type Fate = 'comes through' | 'fails twice' | 'dies once' | 'dies'

/** The messages of what dies: by them an operator knows what to send again. */
export const wordsOfDeath = { 'dies once': 'until it is sent again', dies: 'for good' } as const

interface Share {
  readonly every: number
  readonly remainder: number
  readonly fate: Fate
}

/** Primes: in every lane and key some of each. */
const shares: Readonly<Record<SubscriptionName, readonly Share[]>> = {
  plain: [
    { every: 89, remainder: 7, fate: 'dies' },
    { every: 97, remainder: 5, fate: 'fails twice' },
  ],
  // A dead letter halts its key until it is sent again.
  ordered: [
    { every: 331, remainder: 13, fate: 'dies once' },
    { every: 83, remainder: 11, fate: 'fails twice' },
  ],
  any: [
    { every: 61, remainder: 9, fate: 'dies once' },
    { every: 83, remainder: 7, fate: 'fails twice' },
  ],
  echo: [],
}

export const fateOf = (subscription: SubscriptionName, n: number): Fate =>
  shares[subscription].find(({ every, remainder }) => n % every === remainder)?.fate ?? 'comes through'

/** True when nobody sends it again: it is to be a dead letter in the end. */
export const staysDead = (subscription: SubscriptionName, n: number) => fateOf(subscription, n) === 'dies'
