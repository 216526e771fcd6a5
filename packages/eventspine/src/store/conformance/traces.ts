// A settlement that leaves a trace of every kind, and where to look for them.
import { expect } from 'vitest'
import type { Lease } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import type { OpenedDelivery, Settlement } from '../../settle/port.js'
import { idsOf, letterId, longMs, placeOf, type Scene } from './scene.js'

/** A settlement that leaves a trace of every kind. */
export async function rich(scene: Scene, lease: Lease, events: readonly StoredEvent[]): Promise<Settlement> {
  const [done, failed, died] = events as [StoredEvent, StoredEvent, StoredEvent]
  const failure = scene.failure()
  return await scene.passing(lease, events.at(-1) as StoredEvent, {
    counts: { matched: 3, completed: 1, skipped: 0 },
    opened: [opened(failed, { attempt: 1, dueInMs: longMs, failure })],
    dead: [{ event: died, attempt: 1, round: 0, failure, halts: false }],
    published: [scene.event({ id: 'announced', correlationId: done.correlationId })],
    runs: [
      {
        ...placeOf(done),
        round: 0,
        attempt: 1,
        startedAtMs: 1_000,
        durationMs: 5,
        outcome: 'done',
        failure: null,
      },
    ],
  })
}

/** A delivery that becomes a row: due at once after its first attempt, unless `parts` say otherwise. */
export function opened(event: StoredEvent, parts: Partial<OpenedDelivery> = {}): OpenedDelivery {
  return { event, state: 'retry', attempt: 1, round: 0, deaths: 0, dueInMs: 0, failure: null, ...parts }
}

/** Looks for every trace of `rich`, so many times. */
export async function expectTraces(
  scene: Scene,
  events: readonly StoredEvent[],
  traces: number,
): Promise<void> {
  const [done, , died] = events as [StoredEvent, StoredEvent, StoredEvent]
  const { matched, completed, retrying, dead } = await scene.view()
  expect([matched, completed, retrying, dead]).toEqual([3 * traces, traces, traces, traces])
  expect(idsOf(await scene.log()).filter((id) => id === 'announced')).toHaveLength(traces)
  expect((await scene.store.deadLetter(letterId('ship', died))) === null).toBe(traces === 0)
  const runs = (await scene.store.deliveries(done)).flatMap((delivery) => delivery.runs)
  expect(runs).toHaveLength(traces)
}

/** A subscription whose deliveries of `count` events are rows. `parts` of each by its index. */
export async function withRows(
  scene: Scene,
  count: number,
  parts: (index: number) => Partial<OpenedDelivery> & Partial<Pick<StoredEvent, 'key' | 'tenant'>>,
): Promise<{ readonly lease: Lease; readonly events: readonly StoredEvent[] }> {
  await scene.subscribe()
  await scene.store.append(
    Array.from({ length: count }, (_, index) => {
      const { key = null, tenant = 'default' } = parts(index)
      return scene.event({ key, tenant })
    }),
  )
  const events = await scene.log()
  const lease = await scene.leased('worker-a')
  const rows = events.map((event, index) => {
    const { key: _key, tenant: _tenant, ...row } = parts(index)
    return opened(event, row)
  })
  const last = events.at(-1) as StoredEvent
  const after = await scene.settle(lease, await scene.passing(lease, last, { opened: rows }))
  return { lease: after, events }
}
