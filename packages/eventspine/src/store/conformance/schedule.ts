// Schedules on any store: each tick is taken once, whoever looks.
import { describe, expect, it } from 'vitest'
import { idsOf, type OpenScene, type Scene } from './scene.js'

const plan = { name: 'nightly', plan: '0 3 * * * UTC' }

async function registered(open: OpenScene): Promise<{ scene: Scene; fromMs: number }> {
  const scene = await open()
  await scene.store.registerSchedules([plan])
  return { scene, fromMs: await tickedMs(scene) }
}

async function tickedMs({ store }: Scene): Promise<number> {
  return (await store.schedules([plan])).found[0]?.tickedMs as number
}

export function describeSchedule(open: OpenScene): void {
  describe('schedule', () => {
    it('begins now, and goes on from where it came when it is registered again (I57)', async () => {
      const { scene, fromMs } = await registered(open)
      const { nowMs } = await scene.store.schedules([plan])
      expect(nowMs - fromMs).toBeGreaterThanOrEqual(0)
      expect(await scene.store.advanceSchedule(plan, fromMs, fromMs + 5, [])).toBe(true)
      await scene.store.registerSchedules([plan])
      expect(await tickedMs(scene)).toBe(fromMs + 5)
    })

    it('is moved on once from where it stands, with its events (I57)', async () => {
      const { scene, fromMs } = await registered(open)
      const [first, second] = [scene.event(), scene.event()]
      const moved = await Promise.all([
        scene.store.advanceSchedule(plan, fromMs, fromMs + 5, [first]),
        scene.store.advanceSchedule(plan, fromMs, fromMs + 5, [second]),
      ])
      expect(moved.filter(Boolean)).toHaveLength(1)
      expect(idsOf(await scene.log())).toEqual(idsOf([moved[0] === true ? first : second]))
    })

    it('stands, for whoever asks, as the plan that was looked at last (I57)', async () => {
      const { scene, fromMs } = await registered(open)
      await scene.store.registerSchedules([{ name: 'hourly', plan: '0 * * * * UTC' }])
      await scene.store.advanceSchedule(plan, fromMs, fromMs + 5, [])
      const { nowMs, found } = await scene.store.scheduleStandings()
      expect(nowMs - fromMs).toBeGreaterThanOrEqual(0)
      expect(found.map(({ name }) => name).sort()).toEqual([...['hourly', 'nightly']])
      expect(found).toContainEqual({ ...plan, tickedMs: fromMs + 5 })
      await scene.store.registerSchedules([{ ...plan, plan: '0 4 * * * UTC' }])
      const after = await scene.store.scheduleStandings()
      expect(after.found.filter(({ name }) => name === 'nightly')).toHaveLength(1)
    })

    it('begins anew under another plan, beside who still follows the old one (I57)', async () => {
      const { scene, fromMs } = await registered(open)
      await scene.store.advanceSchedule(plan, fromMs, fromMs - 1_000_000, [])
      const other = { ...plan, plan: '0 4 * * * UTC' }
      await scene.store.registerSchedules([other])
      expect((await scene.store.schedules([other])).found[0]?.tickedMs).toBeGreaterThanOrEqual(fromMs)
      expect(await tickedMs(scene)).toBe(fromMs - 1_000_000)
      const event = scene.event()
      expect(await scene.store.advanceSchedule(plan, fromMs - 1_000_000, fromMs, [event])).toBe(true)
      expect(idsOf(await scene.log())).toEqual([event.id])
    })
  })
}
