// Transactions of handlers on any store: effects and outcome together, once or not at all.
import { describe, expect, it } from 'vitest'
import type { SqlExecutor } from '../../append/port.js'
import { consumerId } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import type { SettleTransaction } from '../../settle/port.js'
import { idsOf, longMs, type OpenScene, type Scene } from './scene.js'
import { expectTraces, rich } from './traces.js'

export function describeSettleTransaction(open: OpenScene): void {
  describe('settle transaction', () => {
    describeTransaction(open)
    describeRepeatedTransaction(open)
  })
}

/** A transaction of a handler, in which it had an effect: an event of its own. */
async function withEffect(scene: Scene, id: string): Promise<SettleTransaction> {
  const transaction = await scene.store.begin(longMs)
  const executor: SqlExecutor = async (text, values) => (await transaction.query(text, values)).rows
  expect(await scene.store.appendWithin(executor, [scene.event({ id })])).toEqual(['stored'])
  return transaction
}

async function effects(scene: Scene): Promise<string[]> {
  return idsOf(await scene.log()).filter((id) => id.startsWith('effect'))
}

function describeTransaction(open: OpenScene): void {
  it('commits the effects with the settlement (I14)', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(3)
    const lease = await scene.leased()
    const transaction = await withEffect(scene, 'effect')
    const settlement = await rich(scene, lease, events)
    await expectTraces(scene, events, 0)
    expect(await effects(scene)).toEqual([])
    expect((await transaction.settle('worker-a', settlement)).settled).toEqual(new Set([consumerId(lease)]))
    await transaction.rollback()
    await expectTraces(scene, events, 1)
    expect(await effects(scene)).toEqual(['effect'])
  })

  it('leaves nothing when it rolls back (I14)', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(3)
    const lease = await scene.leased()
    const transaction = await withEffect(scene, 'effect')
    await transaction.rollback()
    await transaction.rollback()
    await expectTraces(scene, events, 0)
    await scene.settle(lease, await rich(scene, lease, events))
    expect(await effects(scene)).toEqual([])
  })

  it('leaves nothing when the lease was lost meanwhile (I32, I34)', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(3)
    const lease = await scene.leased('worker-a')
    const transaction = await withEffect(scene, 'effect')
    await scene.store.release([lease])
    await scene.leased('worker-b')
    expect((await transaction.settle('worker-a', await rich(scene, lease, events))).settled.size).toBe(0)
    await expectTraces(scene, events, 0)
    expect(await effects(scene)).toEqual([])
  })
}

function describeRepeatedTransaction(open: OpenScene): void {
  it('has its effects once when the answer was lost and the handler ran again (I14)', async () => {
    const scene = await open()
    await scene.subscribe()
    const events = await scene.published(3)
    const lease = await scene.leased()
    const settlement = await rich(scene, lease, events)
    for (const id of ['effect-1', 'effect-2']) {
      const transaction = await withEffect(scene, id)
      const { settled } = await transaction.settle('worker-a', settlement)
      expect(settled).toEqual(new Set([consumerId(lease)]))
    }
    await expectTraces(scene, events, 1)
    expect(await effects(scene)).toEqual(['effect-1'])
  })

  it('tells of an id that belongs to another body, and leaves nothing', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.store.append([scene.event({ id: 'taken', fingerprint: 'body' })])
    const [event] = (await scene.published(1)) as [StoredEvent]
    const lease = await scene.leased()
    const transaction = await withEffect(scene, 'effect')
    const published = [scene.event({ id: 'taken', fingerprint: 'other' })]
    const answer = await transaction.settle('worker-a', await scene.passing(lease, event, { published }))
    expect([answer.settled.size, [...answer.conflicts]]).toEqual([0, [[consumerId(lease), ['taken']]]])
    expect(await effects(scene)).toEqual([])
    await scene.settle(lease, await scene.passing(lease, event))
  })
}
