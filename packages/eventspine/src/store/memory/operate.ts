// What an operator does to a subscription; each change leaves its audit row in the same step.
import type { OperatePort } from '../../inspect/port.js'
import { isLive } from './lease.js'
import type { MemoryTables } from './tables.js'

export function operatePort(tables: MemoryTables): OperatePort {
  const turn = (name: string, state: 'active' | 'paused', actor: string, reason: string | undefined) => {
    const subscription = tables.subscription(name)
    if (subscription.state === state) return
    tables.subscriptions.set(name, { ...subscription, state })
    const action = state === 'paused' ? 'subscription.pause' : 'subscription.resume'
    tables.audit(actor, action, name, { before: subscription.state, after: state, reason })
  }
  return {
    async pause(name, actor, reason) {
      turn(name, 'paused', actor, reason)
      const now = tables.now()
      return [...tables.consumers.values()].filter(
        (consumer) => consumer.subscription === name && isLive(consumer, now),
      ).length
    },
    async resume(name, actor, reason) {
      turn(name, 'active', actor, reason)
    },
    async remove(name, actor, reason) {
      const consumers = [...tables.consumers.entries()].filter(
        ([, consumer]) => consumer.subscription === name,
      )
      const held = consumers.some(([, consumer]) => isLive(consumer, tables.now()))
      if (tables.subscription(name).state !== 'paused' || held) return false
      const deliveries = consumers.reduce((count, [, consumer]) => count + consumer.deliveries.size, 0)
      for (const [id] of consumers) tables.consumers.delete(id)
      let deadLetters = 0
      for (const letter of tables.letters.values()) {
        if (
          letter.consumer.subscription !== name ||
          (letter.state !== 'dead' && letter.state !== 'redriving')
        )
          continue
        deadLetters++
        Object.assign(letter, {
          state: 'discarded',
          resolvedAtMs: tables.now(),
          resolvedBy: actor,
          reason: 'the subscription was removed',
        })
      }
      tables.subscriptions.delete(name)
      const change = { before: 'paused', after: 'removed', reason }
      tables.audit(actor, 'subscription.remove', name, { ...change, deadLetters, deliveries })
      return true
    },
  }
}
