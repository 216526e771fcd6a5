// The chapter `neighbours`, by the order of what happens and by no clock: the same readings in the ward of today and in its first shape,
// while the tables of charts, board, history and report fail, and while they hang.
import { expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../../test/spine.js'
import { type Shape, Stage } from '../stage.js'
import { TableFaults } from './table-faults.js'

vi.setConfig({ testTimeout: 120_000 })

const beds = Array.from({ length: 60 }, (_, index) => `b${index}`)

class Scene {
  readonly today: Stage
  readonly first: Stage
  /** What happened, in its order. */
  readonly happened: string[] = []
  readonly #faults: readonly TableFaults[]

  private constructor(today: Stage, first: Stage) {
    this.today = today
    this.first = first
    this.#faults = [today, first].map(({ url }) => new TableFaults(url))
  }

  static async start(): Promise<Scene> {
    const stage = async (shape: Shape) => {
      const started = await Stage.start({}, {}, shape)
      await started.onDuty({ ann: { 'ann-1': [] } })
      return started
    }
    const scene = new Scene(await stage('today'), await stage('first'))
    afterTest(() => scene.on((faults) => faults.unlock()))
    return scene
  }

  on(strike: (faults: TableFaults) => Promise<void>): Promise<unknown> {
    return Promise.all(this.#faults.map(strike))
  }

  /** In the first shape before: that it is told later is not for want of time. */
  async each(act: (stage: Stage) => Promise<unknown>): Promise<void> {
    for (const stage of [this.first, this.today]) await act(stage)
  }

  async told(shape: Shape, alarms: number): Promise<void> {
    await until(() => alarmsOf(this[shape]).size >= alarms, 60_000)
    this.happened.push(`told ${shape}`)
  }

  /** Both know the same alarms, raised and told, each told once. */
  expectAll(alarms: number): void {
    for (const stage of [this.today, this.first]) {
      expect(alarmsOf(stage).size).toBe(alarms)
      expect(stage.push.received.length).toBe(alarms)
      expect(stage.push.faults).toEqual([])
    }
  }
}

const alarmsOf = ({ push }: Stage) => new Set(push.received.map(({ alarm }) => alarm.id))

const countOf = async (stage: Stage, query: string) =>
  (await stage.sql<{ count: number }>(`SELECT count(*)::int AS count ${query}`))[0]?.count ?? 0

const waiting = (stage: Stage) =>
  countOf(stage, `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)

const retried = (stage: Stage, subscription: string) =>
  countOf(stage, `FROM eventspine.delivery WHERE subscription = '${subscription}' AND attempt >= 2`)

const kept = (stage: Stage, alarms: number) =>
  until(async () => (await countOf(stage, 'FROM ward.alarm')) >= alarms, 60_000)

test('tables fail: today a bed is told of meanwhile; in the first shape it waits behind its failing reading', async () => {
  const scene = await Scene.start()
  const { today, first, happened } = scene
  await scene.on((faults) => faults.rename())
  await scene.each((stage) => stage.measure('7', 'HR', 70))
  await until(async () => (await retried(first, 'reading-arrived')) > 0)
  await until(async () => (await retried(today, 'charts')) > 0)
  await scene.each((stage) => stage.alarm('7'))
  await scene.told('today', 1)
  expect(first.push.received).toEqual([])
  await scene.on((faults) => faults.restore())
  happened.push('mended')
  await scene.told('first', 1)
  await scene.each((stage) => kept(stage, 1))
  scene.expectAll(1)
  expect(happened).toEqual(['told today', 'mended', 'told first'])
})

test('tables hang: today all are told of meanwhile; in the first shape not even a bed of which nothing hangs', async () => {
  const scene = await Scene.start()
  const { today, first, happened } = scene
  await scene.on((faults) => faults.lock())
  for (const bed of beds) await scene.each((stage) => stage.measure(bed, 'HR', 70))
  // A subscription has one transaction at a time. The first shape is one; today's charts and board have one each.
  await until(async () => (await waiting(first)) === 1)
  await until(async () => (await waiting(today)) === 2)
  await scene.each((stage) => stage.alarm('other'))
  for (const bed of beds) await today.alarm(bed)
  await scene.told('today', beds.length + 1)
  expect(first.push.received).toEqual([])
  expect(await waiting(first)).toBe(1)
  // History, too, by now.
  expect(await waiting(today)).toBe(3)
  await scene.on((faults) => faults.unlock())
  happened.push('mended')
  for (const bed of beds) await first.alarm(bed)
  await scene.told('first', beds.length + 1)
  await scene.each((stage) => kept(stage, beds.length + 1))
  scene.expectAll(beds.length + 1)
  expect(happened).toEqual(['told today', 'mended', 'told first'])
})
