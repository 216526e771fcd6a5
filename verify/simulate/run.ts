// A whole run over two processes: what was met, what was violated, and how fast.
import { fork } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import type { LaneMessage, LaneTask } from './lane.js'
import { allMet, Tally } from './tally.js'

export interface RunOptions {
  readonly schedules: number
  readonly seed: number
  readonly mutant: string | undefined
  readonly untilCaught: boolean
  /** Told of each violation as it comes, and of progress. */
  progress(message: LaneMessage): void
}

export interface RunReport {
  readonly schedules: number
  readonly violations: readonly (LaneMessage & { readonly kind: 'violation' })[]
  readonly divergences: readonly number[]
  readonly again: number
  readonly virtualMs: number
  readonly met: ReadonlyMap<string, number>
  /** Met less often than the run asks for. */
  readonly missed: readonly string[]
  readonly seconds: number
}

const lanes = 2
/** A schedule makes much and leaves little behind: a larger nursery is collected less often. */
const laneArguments = ['--import', 'tsx', '--conditions=source', '--max-semi-space-size=64']
/** In a run of this many schedules each fault and each branch is met at least once; in a longer one as often more. */
const schedulesPerHit = 5_000
const judgedFrom = 5_000

export async function run(options: RunOptions): Promise<RunReport> {
  const beganAt = performance.now()
  const tally = new Tally()
  const sums = { schedules: 0, again: 0, virtualMs: 0 }
  const violations: (LaneMessage & { readonly kind: 'violation' })[] = []
  const divergences: number[] = []
  const hear = (message: LaneMessage) => {
    options.progress(message)
    if (message.kind === 'violation') violations.push(message)
    if (message.kind === 'divergence') divergences.push(message.seed)
    if (message.kind !== 'over') return
    sums.schedules += message.schedules
    sums.again += message.again
    sums.virtualMs += message.virtualMs
    tally.add(message.met)
  }
  const count = Math.min(lanes, options.schedules)
  const { schedules, seed, mutant, untilCaught } = options
  await Promise.all(
    Array.from({ length: count }, (_, first) =>
      lane({ seed, first, schedules, step: count, mutant, untilCaught }, hear),
    ),
  )
  return {
    ...sums,
    ...{ violations, divergences, met: tally.counts },
    missed: missedOf(tally, sums.schedules),
    seconds: (performance.now() - beganAt) / 1000,
  }
}

function missedOf(tally: Tally, schedules: number): string[] {
  if (schedules < judgedFrom) return []
  const timesMin = Math.floor(schedules / schedulesPerHit)
  return allMet.filter((what) => (tally.counts.get(what) ?? 0) < timesMin)
}

function lane(task: LaneTask, hear: (message: LaneMessage) => void): Promise<void> {
  const child = fork(fileURLToPath(new URL('./lane.ts', import.meta.url)), ['lane'], {
    serialization: 'advanced',
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    execArgv: laneArguments,
  })
  return new Promise((resolve, reject) => {
    let over = false
    child.on('message', (message: LaneMessage) => {
      over ||= message.kind === 'over'
      hear(message)
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (over) resolve()
      else reject(new Error(`A lane of the simulation ended with code ${code} before it was through`))
    })
    child.send(task)
  })
}
