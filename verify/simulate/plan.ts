// What one seed means: which faults may happen and how often, which subscriptions there are, and how much is done.
import { Dice } from './dice.js'
import { hash32 } from './engine.js'

/** Everything that can be done to the engine from outside. */
export const faultKinds = [
  'crash before a call',
  'crash after a call',
  'answer lost',
  'call refused',
  'call slow',
  'call hangs',
  'pause',
  'clock jump',
  'same worker id',
  'wake-ups lost',
  'restart storm',
  'database restart',
  'stop',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** What an event does to the handler that gets it. */
export const behaviours = [
  'well',
  'slow',
  'fails',
  'processing',
  'permanent',
  'hangs',
  'ignores abort',
  'kills once',
  'kills always',
] as const
export type Behaviour = (typeof behaviours)[number]

/** What a person may do in the middle. */
export const operations = [
  'pause',
  'redrive',
  'redrive twice',
  'discard',
  'replay',
  'stop replay',
  'stop redrive',
  'breaker',
] as const
export type Operation = (typeof operations)[number]

export interface SubscriptionPlan {
  readonly name: string
  readonly kind: 'plain' | 'transactional' | 'many'
  readonly ordered: false | 'halt' | 'skip'
  readonly priority: 'alarm' | 'normal'
  readonly shards: number
  readonly concurrency: number
  readonly perKey: boolean
  readonly start: 'beginning' | 'now'
  readonly breaker: 'none' | 'service' | 'tenant' | 'key'
  readonly rate: boolean
  /** What its handler publishes, and under which ids. */
  readonly publishes: 'nothing' | 'new id' | 'own id' | 'shared id'
  /** Takes the first tenant's events alone. */
  readonly filtered: boolean
  /** Takes what handlers publish, too. */
  readonly follows: boolean
  readonly attemptsMax: number
  readonly leaseMs: number
  readonly batchEventsMax: number
  /** Of those that take many at once. */
  readonly windowMs: number
}

export interface Plan {
  readonly seed: number
  readonly faults: ReadonlySet<FaultKind>
  /** Of all store calls while there are faults, about so many go wrong in one of the ways that are on. */
  readonly faultRate: number
  /** Share of calls that take a few milliseconds, so that they pass one another. */
  readonly jitter: number
  /** Processes see that a neighbour on their machine is dead. */
  readonly sameMachine: boolean
  readonly behaviours: ReadonlySet<Behaviour>
  /** Share of deliveries that do not go well. */
  readonly trouble: number
  readonly operations: readonly Operation[]
  readonly operationsMax: number
  readonly processes: number
  readonly subscriptions: readonly SubscriptionPlan[]
  readonly tenants: number
  readonly keys: number
  readonly publications: number
  /** All publications of the first tenant at once. */
  readonly burst: boolean
  readonly faultsMs: number
}

const tenantsMax = 3
// A process that dies of an event takes seconds to come back: too dear for every schedule.
const killing = behaviours.filter((each) => each.startsWith('kills'))
const calm = behaviours.filter((each) => !each.startsWith('kills'))

export function planOf(seed: number): Plan {
  const dice = new Dice(seed)
  // Swarm: a fault that is always there hides what only happens without it.
  const faults = new Set(dice.some(faultKinds, dice.pick([0.1, 0.35, 0.6])))
  return {
    seed,
    faults,
    faultRate: dice.pick([0.003, 0.01, 0.03]),
    jitter: dice.pick([0, 0.05, 0.3]),
    sameMachine: dice.chance(0.3),
    behaviours: new Set<Behaviour>(['well', ...dice.some(calm, 0.4), ...dice.some(killing, 0.15)]),
    trouble: dice.pick([0.05, 0.25, 0.6]),
    operations: dice.some(operations, dice.pick([0, 0.3, 0.6])),
    operationsMax: dice.between(1, 4),
    processes: dice.pick([1, 2, 2, 3]),
    subscriptions: subscriptionsOf(dice).map((plan, index) => withBatches(plan, `${seed} ${index}`)),
    tenants: dice.between(1, tenantsMax),
    keys: dice.pick([1, 2, 5]),
    publications: dice.pick([4, 8, 14, 24]),
    burst: dice.chance(0.25),
    faultsMs: dice.pick([800, 1_500, 3_000]),
  }
}

function subscriptionsOf(dice: Dice): SubscriptionPlan[] {
  const count = dice.pick([1, 1, 2, 2, 3])
  return Array.from({ length: count }, (_, index) => subscriptionOf(dice, index))
}

/** Of half of the transactional ones. By no dice: a seed that once found a fault would mean something else. */
function withBatches(plan: SubscriptionPlan, about: string): SubscriptionPlan {
  if (plan.kind !== 'transactional' || hash32(`${about} many`) % 2 === 0) return plan
  return { ...plan, kind: 'many', windowMs: hash32(`${about} window`) % 3 === 0 ? 50 : 0 }
}

function subscriptionOf(dice: Dice, index: number): SubscriptionPlan {
  const ordered = dice.pick([false, false, 'halt', 'skip'] as const)
  const shards = dice.pick([1, 1, 1, 2])
  return {
    name: `subscriber-${index}`,
    kind: dice.pick(['plain', 'plain', 'transactional']),
    ordered,
    priority: dice.pick(['normal', 'normal', 'alarm']),
    shards,
    concurrency: dice.pick([2, 4, 10]),
    perKey: ordered === false && dice.chance(0.2),
    start: dice.pick(['beginning', 'now']),
    breaker: dice.pick(['none', 'none', 'service', 'tenant', 'key']),
    rate: dice.chance(0.15),
    publishes: dice.pick(['nothing', 'nothing', 'nothing', 'new id', 'own id', 'shared id']),
    filtered: dice.chance(0.15),
    follows: dice.chance(0.5),
    attemptsMax: dice.between(2, 5),
    leaseMs: dice.pick([600, 1_200, 2_000]),
    batchEventsMax: dice.pick([1, 3, 1_000]),
    windowMs: 0,
  }
}
