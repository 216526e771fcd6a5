// Random sequences of store operations. Each names its choices by numbers that are resolved when it runs, against what
// the store has answered so far: as long as two stores agree, they are asked the same.
import { Dice } from '../dice.js'

const kinds = {
  append: 8,
  appendAll: 2,
  begin: 3,
  within: 4,
  commit: 3,
  rollback: 1,
  read: 6,
  acquire: 3,
  steal: 1,
  release: 1,
  renew: 1,
  settle: 10,
  'settle stale': 1,
  'settle again': 1,
  'settle in a transaction': 2,
  claim: 4,
  unclaim: 2,
  'settle rows': 5,
  keys: 2,
  promote: 2,
  pause: 1,
  resume: 1,
  redrive: 2,
  'advance redrives': 2,
  'stop redrive': 1,
  discard: 1,
  replay: 1,
  'stop replay': 1,
  'breaker failed': 1,
  'breaker probe': 1,
  'breaker succeeded': 1,
  look: 3,
  'record workflows': 2,
  'record workflows again': 1,
  'load workflows': 1,
  'end workflow': 1,
  'wake workflows': 1,
  'look for events': 1,
  'list workflows': 1,
} as const

/** Of a sequence about little else: histories are only told apart once they have grown. */
const workflowKinds = {
  ...{ append: 2, begin: 1, within: 1, commit: 1, rollback: 1, steal: 1, release: 1, acquire: 2 },
  ...{ 'record workflows': 12, 'record workflows again': 2, 'load workflows': 2, 'end workflow': 1 },
  ...{ 'wake workflows': 3, 'look for events': 4, 'list workflows': 2 },
} as const
const workflowsShare = 0.4

export type OperationKind = keyof typeof kinds

export interface ModelOperation {
  readonly kind: OperationKind
  /** What the operation draws on, each in [0, 1). */
  readonly choices: readonly number[]
}

const choicesOf = 24

export function operationsOf(seed: number, count: number): ModelOperation[] {
  const dice = new Dice(seed)
  const operation = (kind: OperationKind): ModelOperation => ({
    kind,
    choices: Array.from({ length: choicesOf }, () => dice.random.next()),
  })
  const begun = [operation('append'), operation('acquire'), operation('read')]
  const weights: Partial<Record<OperationKind, number>> = dice.chance(workflowsShare) ? workflowKinds : kinds
  const middle = Array.from({ length: count }, () =>
    operation(dice.weighted(weights as Record<OperationKind, number>)),
  )
  const end = [
    operation('commit'),
    operation('commit'),
    operation('commit'),
    operation('read'),
    operation('look'),
    operation('list workflows'),
  ]
  return [...begun, ...middle, ...end]
}
