// A lane of a run: one process that takes every n-th seed, sums up, and tells the parent of each violation at once.
import process from 'node:process'
import { simulate } from './schedule.js'
import { Tally } from './tally.js'

export interface LaneTask {
  readonly seed: number
  readonly first: number
  readonly schedules: number
  readonly step: number
  readonly mutant: string | undefined
  /** Ends at the first violation: enough to see that a mutant is caught. */
  readonly untilCaught: boolean
}

export type LaneMessage =
  | {
      readonly kind: 'violation'
      readonly seed: number
      readonly index: number
      readonly violations: readonly string[]
    }
  | { readonly kind: 'divergence'; readonly seed: number }
  | { readonly kind: 'progress'; readonly schedules: number }
  | {
      readonly kind: 'over'
      readonly schedules: number
      readonly again: number
      readonly virtualMs: number
      readonly met: Readonly<Record<string, number>>
    }

/** One seed in so many runs twice, and must tell the same story. */
const againEvery = 100
const progressEvery = 250

export async function runLane(task: LaneTask, tell: (message: LaneMessage) => void): Promise<void> {
  // Thousands of errors are made and nobody reads where.
  Error.stackTraceLimit = 0
  const tally = new Tally()
  let [schedules, again, virtualMs] = [0, 0, 0]
  for (let index = task.first; index < task.schedules; index += task.step) {
    const seed = seedOf(task.seed, index)
    const verdict = await simulate(seed, { trace: false, mutant: task.mutant })
    schedules++
    virtualMs += verdict.virtualMs
    tally.add(verdict.met)
    if (index % againEvery === 0) {
      again++
      const second = await simulate(seed, { trace: false, mutant: task.mutant })
      if (second.hash !== verdict.hash) tell({ kind: 'divergence', seed })
    }
    if (verdict.violations.length > 0) {
      tell({ kind: 'violation', seed, index, violations: verdict.violations })
      if (task.untilCaught) break
    }
    if (schedules % progressEvery === 0) tell({ kind: 'progress', schedules: progressEvery })
  }
  tell({ kind: 'over', schedules, again, virtualMs, met: Object.fromEntries(tally.counts) })
}

/** `--seed S` counts on from S, so that a violation's own seed replays it as the first. */
const seedOf = (seed: number, index: number) => (seed + index) % 4_294_967_296

if (process.send !== undefined && process.argv[2] === 'lane') {
  // The parent is gone: nobody listens.
  process.once('disconnect', () => process.exit())
  process.once('message', (task: LaneTask) => {
    // From a promise: the virtual clock takes "all promises have run" from that, see `settle` there.
    void Promise.resolve(task)
      .then((each) => runLane(each, (message) => process.send?.(message)))
      .finally(() => process.disconnect())
  })
}
