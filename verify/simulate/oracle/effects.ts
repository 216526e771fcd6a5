// What handlers left behind: the effects of a transactional handler and the events that it published are there once for
// a delivery that was completed, and not at all for any other.

import { effectType, followed } from '../subject.js'
import type { World } from '../world.js'
import type { Log } from './judge.js'

export function judgeEffects(world: World, log: Log): void {
  const effects = countBy(log, effectType)
  const follows = countBy(log, followed.type)
  for (const consumer of world.tables.consumers.values()) {
    const plan = world.plan.subscriptions.find(({ name }) => name === consumer.subscription)
    if (plan === undefined) continue
    for (const { settlement } of world.ledger.commitsOf(consumer)) {
      for (const { seq, epoch, outcome } of settlement.runs) {
        if (outcome !== 'done') continue
        const id = `${consumer.subscription}/${epoch}.${seq}${consumer.replay === '' ? '' : `~${consumer.replay}`}`
        const isPlaced = log.bySeq.get(seq)?.type === 'orders.placed'
        const publishes = plan.publishes !== 'nothing' && consumer.replay === '' && isPlaced
        expectOnce(world, 'effects', id, effects, plan.kind === 'plain' ? 0 : 1)
        expectOnce(world, 'published events', id, follows, publishes ? 1 : 0)
        if (publishes) world.tally.met('event published by a handler')
      }
    }
  }
  for (const [id, count] of effects)
    world.ledger.violated('I14', `${id} was not completed and has ${count} effects`)
  for (const [id, count] of follows)
    world.ledger.violated('I3', `${id} was not completed and has ${count} published events`)
}

function expectOnce(
  { ledger }: World,
  what: string,
  id: string,
  counts: Map<string, number>,
  expected: number,
): void {
  const count = counts.get(id) ?? 0
  if (count !== expected)
    ledger.violated('I14', `${id} was completed and has ${count} ${what}, not ${expected}`)
  counts.delete(id)
}

function countBy(log: Log, type: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const event of log.events) {
    if (event.type !== type) continue
    const { by } = JSON.parse(event.data ?? '{}') as { readonly by: string }
    counts.set(by, (counts.get(by) ?? 0) + 1)
  }
  return counts
}
