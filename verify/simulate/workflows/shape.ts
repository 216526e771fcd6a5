// What one instance does in a schedule: drawn from the seed, and given to it as its input.
import type { Dice } from '../dice.js'

export interface Shape {
  /** For each step in a row: whether it can be undone. */
  readonly undo: readonly boolean[]
  /** The step with no way back behind it. */
  readonly pivotAt: number | null
  /** The step that is refused for good. */
  readonly refusedAt: number | null
  /** The step that fails so often before it succeeds. */
  readonly troubledAt: number | null
  readonly troubles: number
  readonly sleepAt: number | null
  readonly sleepMs: number
  readonly branches: number
  readonly signals: number
  readonly child: boolean
  readonly awaitsEvent: boolean
  readonly publishes: boolean
  readonly endsBadly: boolean
}

export function shapeOf(dice: Dice): Shape {
  const steps = dice.between(1, 4)
  const at = (probability: number) => (dice.chance(probability) ? dice.between(0, steps - 1) : null)
  const undo = Array.from({ length: steps }, () => dice.chance(0.6))
  const pivotAt = at(0.2)
  // Behind the point of no return a refusal waits for a person, for ever here.
  const refusedAt = pivotAt === null ? at(0.3) : null
  return {
    ...{ undo, pivotAt, refusedAt, troubledAt: at(0.4), troubles: dice.between(1, 2) },
    ...{ sleepAt: at(0.4), sleepMs: dice.pick([300, 2_500, 4_000]) },
    branches: dice.chance(0.3) ? dice.between(2, 3) : 0,
    signals: dice.pick([0, 0, 1, 3]),
    child: dice.chance(0.25),
    awaitsEvent: dice.chance(0.3),
    publishes: dice.chance(0.4),
    endsBadly: pivotAt === null && dice.chance(0.2),
  }
}

/** What it may end as where nobody cancels it. */
export function endOf({ undo, refusedAt, endsBadly }: Shape): 'completed' | 'compensated' | 'failed' {
  if (refusedAt === null && !endsBadly) return 'completed'
  const begun = undo.slice(0, refusedAt === null ? undo.length : refusedAt + 1)
  return begun.some(Boolean) ? 'compensated' : 'failed'
}
