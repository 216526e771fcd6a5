// Of an ordered subscription, the attempts that counted: one of a key at a time, in log order, and nothing behind a
// dead letter that halts its key before a person decided.
import { comparePositions } from '../engine.js'
import type { HandlerRun } from '../ledger.js'
import type { SubscriptionPlan } from '../plan.js'
import type { World } from '../world.js'
import type { Log } from './judge.js'

export function judgeOrder(world: World, log: Log): void {
  for (const plan of world.plan.subscriptions) {
    if (plan.ordered === false) continue
    const keys = new Map<string, HandlerRun[]>()
    for (const run of world.ledger.runs) {
      if (run.subscription !== plan.name || run.outcome === null || run.key === null) continue
      const key = `${run.replay} ${run.key}`
      keys.set(key, [...(keys.get(key) ?? []), run])
    }
    for (const runs of keys.values()) judgeKey(world, log, plan, runs)
  }
  judgeRepeats(world)
}

function judgeKey(world: World, log: Log, plan: SubscriptionPlan, runs: readonly HandlerRun[]): void {
  const { ledger } = world
  const ordered = [...runs].sort((a, b) => a.startedAt - b.startedAt)
  for (let index = 1; index < ordered.length; index++) {
    const [before, run] = [ordered[index - 1], ordered[index]]
    if (before === undefined || run === undefined) continue
    // One that hangs on behind its deadline does not count: nothing of it will.
    if (
      before.outcome === 'done' &&
      before.endedAt !== null &&
      run.startedAt < before.endedAt &&
      run.process !== before.process
    )
      ledger.violated(
        'I21',
        `${run.deliveryId} began in ${run.process} while ${before.deliveryId} of its key ran in ${before.process}`,
      )
  }
  // A failed attempt of a transactional handler had no effect, and those before it may run again.
  const effective = plan.kind === 'plain' ? ordered : ordered.filter(({ outcome }) => outcome === 'done')
  for (const first of ordered)
    for (const second of effective)
      if (
        isBehind(log, second, first) &&
        first.round === 0 &&
        second.startedAt < throughAt(world, plan, ordered, first)
      )
        ledger.violated(
          'I21',
          `${second.deliveryId} began before ${first.deliveryId}, which comes before it in its key, was through`,
        )
}

function isBehind({ bySeq }: Log, run: HandlerRun, other: HandlerRun): boolean {
  const [one, two] = [bySeq.get(run.seq), bySeq.get(other.seq)]
  return one !== undefined && two !== undefined && comparePositions(one, two) > 0
}

/** When the delivery of `run` no longer stood in the way of those behind it. */
function throughAt(
  world: World,
  plan: SubscriptionPlan,
  runs: readonly HandlerRun[],
  run: HandlerRun,
): number {
  const own = runs.filter(({ seq }) => seq === run.seq)
  const ending = own.find(
    ({ outcome }) => outcome === 'done' || (outcome === 'dead' && plan.ordered === 'skip'),
  )
  if (ending !== undefined) return ending.startedAt
  return world.ledger.discardedAt.get(run.deliveryId) ?? 0
}

/** Honest at-least-once: attempts that ran and were not recorded. */
function judgeRepeats({ ledger, tally }: World): void {
  const repeats = ledger.runs.filter(({ outcome, endedAt }) => outcome === null && endedAt !== null).length
  if (repeats > 0) tally.met('handler ran twice for one outcome', repeats)
}
