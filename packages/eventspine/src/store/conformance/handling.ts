// How subscriptions handle: what runs, what waits for a retry, and how long attempts took.
import { describe, expect, it } from 'vitest'
import { type Lease, newerVersionName } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import { handlingRunsMax } from '../../inspect/port.js'
import type { OpenedDelivery, Run } from '../../settle/port.js'
import { longMs, type OpenScene, type Scene } from './scene.js'
import { opened } from './traces.js'

const idle = { running: 0, retries: 0, runs: 0, sinceMs: null, p50Ms: null, p99Ms: null }

function runOf({ epoch, seq }: StoredEvent, durationMs: number, parts: Partial<Run> = {}): Run {
  const run = { epoch, seq, round: 0, attempt: 1, startedAtMs: 0, durationMs, outcome: 'done', failure: null }
  return { ...run, ...parts } as Run
}

/** Publishes an event for each duration, whose attempt took so long, and settles all of them at once. */
async function handled(scene: Scene, lease: Lease, durationsMs: readonly number[]): Promise<Lease> {
  const events = await scene.published(durationsMs.length)
  const runs = events.map((event, at) => runOf(event, durationsMs[at] ?? 0))
  const last = events.at(-1) as StoredEvent
  return await scene.settle(lease, await scene.passing(lease, last, { runs }))
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1)

export function describeHandling(open: OpenScene): void {
  describe('handling', () => {
    describeDurations(open)
    describeNow(open)
    describeNewer(open)
  })
}

function describeDurations(open: OpenScene): void {
  it('shows every subscription by name, and nothing of one that did nothing', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.subscribe({ name: 'bill' })
    expect(await scene.store.handling()).toEqual([
      { subscription: 'bill', ...idle },
      { subscription: 'ship', ...idle },
    ])
  })

  it('tells how long attempts took, over several settlements, failed ones and fractions among them', async () => {
    const scene = await open()
    await scene.subscribe()
    const lease = await handled(scene, await scene.leased(), upTo(98).reverse())
    const [event] = (await scene.published(1)) as [StoredEvent]
    const failed = runOf(event, 250.125, { outcome: 'retry', failure: scene.failure() })
    await scene.settle(lease, await scene.passing(lease, event, { runs: [failed, runOf(event, 990)] }))
    const [ship] = await scene.store.handling()
    expect(ship).toMatchObject({ runs: 100, p50Ms: 50, p99Ms: 250.125 })
    expect(ship?.sinceMs).toBeLessThanOrEqual((await scene.store.tally()).atMs)
  })

  it('looks at the newest attempts, and at so many at most', async () => {
    const scene = await open()
    await scene.subscribe()
    let lease = await handled(scene, await scene.leased(), upTo(40).fill(9_000))
    lease = await handled(scene, lease, upTo(handlingRunsMax - 1))
    await handled(scene, lease, [5])
    const [ship] = await scene.store.handling()
    expect(ship).toMatchObject({ runs: handlingRunsMax, p50Ms: 499, p99Ms: 989 })
  })

  it('leaves the attempts of replays out', async () => {
    const scene = await open()
    await scene.subscribe()
    await handled(scene, await scene.leased(), [7])
    await scene.store.createReplay('again', { subscription: 'ship', actor: 'ada' })
    const replay = await scene.leased('worker-b')
    expect(replay.replay).toBe('again')
    const [event] = (await scene.log()) as [StoredEvent]
    await scene.settle(replay, await scene.passing(replay, event, { runs: [runOf(event, 900)] }), 'worker-b')
    expect(await scene.store.handling()).toMatchObject([{ runs: 1, p50Ms: 7, p99Ms: 7 }])
  })
}

function describeNow(open: OpenScene): void {
  it('counts what waits for a retry, and not what runs or waits for its key', async () => {
    const scene = await open()
    await scene.subscribe()
    const lease = await scene.leased()
    const events = await scene.published(4, { key: 'k' })
    const states = ['retry', 'retry', 'running', 'waiting'] as const
    const opened = states.map((state, at) => ({
      ...{ event: events[at] as StoredEvent, state, attempt: 1, round: 0, deaths: 0, dueInMs: 60_000 },
      failure: null,
    }))
    await scene.settle(lease, await scene.passing(lease, events.at(-1) as StoredEvent, { opened }))
    expect(await scene.store.handling()).toMatchObject([{ retries: 2, running: 0 }])
  })

  it('adds up what the workers that live say runs', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.subscribe({ name: 'bill' })
    const beat = (worker: string, running: Record<string, number>) =>
      scene.store.heartbeat(scene.worker(worker, { running }), {})
    await beat('worker-a', { ship: 9 })
    await beat('worker-a', { ship: 3, gone: 1 })
    const { workers } = await beat('worker-b', { ship: 4, bill: 1 })
    expect(workers.map(({ id, running }) => [id, running]).sort()).toEqual([
      ['worker-a', { ship: 3, gone: 1 }],
      ['worker-b', { ship: 4, bill: 1 }],
    ])
    const running = async () => (await scene.store.handling()).map((each) => each.running)
    expect(await running()).toEqual([1, 7])
    expect((await scene.store.workers()).map((each) => each.running)).toHaveLength(2)
    await scene.store.removeWorker('worker-a')
    expect(await running()).toEqual([1, 4])
  })
}

function describeNewer(open: OpenScene): void {
  it('names the events that are newer than whoever met them, by subscription, type and version', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.subscribe({ name: 'bill' })
    const seconds = await scene.published(3, { version: 2 })
    const [third] = (await scene.published(1, { version: 3 })) as [StoredEvent]
    const [plain, behind] = (await scene.published(2)) as [StoredEvent, StoredEvent]
    const newer = scene.failure({ name: newerVersionName })
    const put = async (subscription: string, rows: readonly OpenedDelivery[]) => {
      const lease = await scene.leased('worker-a', subscription)
      await scene.settle(lease, await scene.passing(lease, behind, { opened: rows }))
    }
    const retry = (event: StoredEvent) => opened(event, { attempt: 0, dueInMs: longMs, failure: newer })
    await put('ship', [
      ...[...seconds, third].map(retry),
      opened(plain, { attempt: 1, dueInMs: longMs, failure: scene.failure() }),
      opened(behind, { state: 'waiting', attempt: 0 }),
    ])
    await put('bill', [retry(third)])
    const found = await scene.store.newerEvents()
    const [type, age] = ['orders.placed', { ageSeconds: expect.any(Number) }]
    expect(found).toEqual([
      {
        subscription: 'bill',
        type,
        version: 3,
        events: 1,
        sinceMs: expect.closeTo(third.recordedAtMs, 0),
        ...age,
      },
      {
        ...{ subscription: 'ship', type, version: 2, events: 3, ...age },
        sinceMs: expect.closeTo(Math.min(...seconds.map(({ recordedAtMs }) => recordedAtMs)), 0),
      },
      {
        subscription: 'ship',
        type,
        version: 3,
        events: 1,
        sinceMs: expect.closeTo(third.recordedAtMs, 0),
        ...age,
      },
    ])
    expect(found.every(({ ageSeconds }) => ageSeconds >= 0 && ageSeconds < longMs / 1_000)).toBe(true)
  })
}
