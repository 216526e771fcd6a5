import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StoredEvent } from '../../event/stored.js'
import type { DeliveryView } from '../../inspect/port.js'
import type { Run } from '../../settle/port.js'
import {
  deadLettersOf,
  failure,
  leaseOf,
  newEvent,
  openTestStore,
  readAll,
  record,
  settlementTo,
  type TestStore,
  workOff,
} from './inspect.fixture.js'

let store: TestStore

beforeAll(async () => {
  store = await openTestStore()
})
afterAll(() => store.drop())

async function append(given: Parameters<typeof newEvent>[0]): Promise<StoredEvent> {
  const event = newEvent(given)
  await store.append([event])
  return (await store.event(event.id)) as StoredEvent
}

async function viewOf(event: StoredEvent, subscription: string, replay: string | null = null) {
  const views = await store.deliveries(event)
  return views.find((view) => view.subscription === subscription && view.replay === replay)
}

const stateOf = async (event: StoredEvent, subscription: string) => (await viewOf(event, subscription))?.state

async function settleAll(
  subscription: string,
  given: Parameters<typeof settlementTo>[2] = {},
  replay = '',
): Promise<void> {
  const last = (await readAll(store)).at(-1)
  const lease = await leaseOf(store, subscription, 'worker-1', replay)
  const { settled } = await store.settle('worker-1', [settlementTo(lease, last?.tick ?? 0, given)])
  expect(settled.size).toBe(1)
  await store.release([lease])
}

const run = (event: StoredEvent, given: Partial<Run> = {}): Run => ({
  epoch: event.epoch,
  seq: event.seq,
  round: 0,
  attempt: 1,
  startedAtMs: 1_700_000_000_000,
  durationMs: 1.5,
  outcome: 'done',
  failure: null,
  ...given,
})

const stored = async (event: StoredEvent) =>
  (await readAll(store)).find(({ id }) => id === event.id) as StoredEvent

describe('without a row', () => {
  test('is pending until the cursor of its shard has passed it, then completed', async () => {
    await store.register([record('by-cursor', { shards: 4, on: ['cursor.*'] })])
    const event = await append({ type: 'cursor.moved', key: 'a' })
    expect(await stateOf(event, 'by-cursor')).toBe('pending')
    await store.tick(0, 1_000)
    expect(await stateOf(event, 'by-cursor')).toBe('pending')
    const { tick, seq } = await stored(event)
    const place = (shards: string) =>
      `UPDATE eventspine.consumer SET tick = $1, seq = $2 WHERE subscription = 'by-cursor' AND shard ${shards}`
    const { hash32 } = await import('../../kernel/index.js')
    const shard = hash32('a') % 4
    await store.sql(place(`<> ${shard}`), [tick, seq])
    expect(await stateOf(event, 'by-cursor')).toBe('pending')
    await store.sql(place(`= ${shard}`), [tick, seq - 1])
    expect(await stateOf(event, 'by-cursor')).toBe('pending')
    await store.sql(place(`= ${shard}`), [tick, seq])
    expect(await stateOf(event, 'by-cursor')).toBe('completed')
  })

  test('shows only subscriptions that take its type', async () => {
    await store.register([
      record('pattern', { on: ['payments.*-taken', 'x_y'] }),
      record('exact', { on: ['payments.card-taken'] }),
      record('other', { on: ['payments.card-takenX', 'paymentsXcard-taken', 'payments.card_taken', '%'] }),
    ])
    const event = await append({ type: 'payments.card-taken' })
    const names = (await store.deliveries(event)).map((view) => view.subscription)
    expect(names).toEqual(['exact', 'pattern'])
  })

  test('with a filter it is completed only when it ran', async () => {
    await store.register([
      record('filtering', { on: ['filtered.*'], policies: { filter: { data: { a: [1] } } } }),
    ])
    const passed = await append({ type: 'filtered.one' })
    const ran = await append({ type: 'filtered.one' })
    await settleAll('filtering', {
      runs: [run(await stored(ran))],
      counts: { matched: 1, completed: 1, skipped: 0 },
    })
    expect(await stateOf(passed, 'filtering')).toBeUndefined()
    expect(await stateOf(ran, 'filtering')).toBe('completed')
  })

  test('from before a subscription began it is left out', async () => {
    const event = await append({ type: 'began.later' })
    await store.tick(0, 1_000)
    await store.register([
      record('begins-now', { on: ['began.*'], start: 'now', policies: { start: 'now' } }),
      record('begins-at', { on: ['began.*'], start: new Date(Date.now() + 60_000) }),
      record('begins-early', { on: ['began.*'], policies: { start: 'beginning' } }),
    ])
    await settleAll('begins-early')
    await settleAll('begins-at')
    expect(await store.deliveries(event)).toMatchObject([
      { subscription: 'begins-early', state: 'completed' },
    ])
  })
})

describe('with a row', () => {
  test('is retry, running or waiting, with what failed', async () => {
    await store.register([record('rows', { on: ['rows.*'] })])
    const [retry, waiting] = [
      await append({ type: 'rows.a', key: 'k' }),
      await append({ type: 'rows.a', key: 'k' }),
    ]
    const opened = [
      {
        event: await stored(retry),
        state: 'retry' as const,
        attempt: 2,
        round: 0,
        deaths: 0,
        dueInMs: -1,
        failure,
      },
      {
        event: await stored(waiting),
        state: 'waiting' as const,
        attempt: 0,
        round: 0,
        deaths: 0,
        dueInMs: 0,
        failure: null,
      },
    ]
    await settleAll('rows', { opened })
    expect(await viewOf(retry, 'rows')).toMatchObject({
      state: 'retry',
      attempt: 2,
      failure,
      dueAtMs: expect.any(Number),
    })
    expect(await viewOf(waiting, 'rows')).toMatchObject({
      state: 'waiting',
      attempt: 0,
      failure: null,
      dueAtMs: null,
    })
    const lease = await leaseOf(store, 'rows')
    expect(await store.claimDue([lease], 10)).toHaveLength(1)
    expect(await viewOf(retry, 'rows')).toMatchObject({ state: 'running', attempt: 3 })
    await store.release([lease])
  })

  test('a dead letter is dead, redriving, redriven or discarded', async () => {
    await store.register([record('letters', { on: ['letters.*'] })])
    const events = [newEvent({ type: 'letters.a' }), newEvent({ type: 'letters.a' })]
    const [one, two] = (await deadLettersOf(store, 'letters', events)) as readonly [StoredEvent, StoredEvent]
    expect(await viewOf(one, 'letters')).toMatchObject({ state: 'dead', attempt: 3, failure })
    const id = (await viewOf(one, 'letters'))?.id as string
    await store.discard({ ids: [`letters/${two.epoch}.${two.seq}`] }, 'anna', 'not needed')
    expect(await stateOf(two, 'letters')).toBe('discarded')
    const request = {
      filter: { ids: [id] },
      rate: 1_000,
      canary: 0,
      stopAtErrorRate: 0.5,
      roundsMax: 3,
      actor: 'anna',
      editedData: null,
    }
    await store.createRedrive('redrive-letters', request)
    await store.advanceRedrives()
    expect(await stateOf(one, 'letters')).toBe('redriving')
    expect(await workOff(store, 'letters', 'done')).toBe(1)
    expect(await stateOf(one, 'letters')).toBe('redriven')
  })
})

describe('runs', () => {
  test('are unpacked from the rows of their settlements, oldest first', async () => {
    await store.register([record('runs', { on: ['runs.*'] })])
    const events = await Promise.all([
      append({ type: 'runs.a' }),
      append({ type: 'runs.a' }),
      append({ type: 'runs.a' }),
    ])
    const [first, second, third] = (await Promise.all(events.map(stored))) as [
      StoredEvent,
      StoredEvent,
      StoredEvent,
    ]
    await settleAll('runs', {
      runs: [
        run(first),
        run(second, { startedAtMs: 1_700_000_000_010, outcome: 'retry', failure }),
        run(second, {
          startedAtMs: 1_700_000_000_020,
          attempt: 2,
          outcome: 'dead',
          failure: { ...failure, message: 'again' },
        }),
        run(third),
      ],
    })
    await settleAll('runs', {
      runs: [run(second, { startedAtMs: 1_700_000_000_030, round: 1, durationMs: 2 })],
    })
    const view = (await viewOf(second, 'runs')) as DeliveryView
    expect(view.runs).toEqual([
      {
        worker: 'worker-1',
        round: 0,
        attempt: 1,
        startedAtMs: 1_700_000_000_010,
        durationMs: 1.5,
        outcome: 'retry',
        failure,
      },
      {
        worker: 'worker-1',
        round: 0,
        attempt: 2,
        startedAtMs: 1_700_000_000_020,
        durationMs: 1.5,
        outcome: 'dead',
        failure: { ...failure, message: 'again' },
      },
      {
        worker: 'worker-1',
        round: 1,
        attempt: 1,
        startedAtMs: 1_700_000_000_030,
        durationMs: 2,
        outcome: 'done',
        failure: null,
      },
    ])
    // All of them well and first attempts: the arrays are NULL.
    expect((await viewOf(third, 'runs'))?.runs).toMatchObject([
      { round: 0, attempt: 1, outcome: 'done', failure: null },
    ])
  })

  test('of a replay stand under the replay', async () => {
    await store.register([record('replayed', { on: ['replayed.*'] })])
    const event = await append({ type: 'replayed.a' })
    await settleAll('replayed', { runs: [run(await stored(event))] })
    await store.createReplay('replay-1', { subscription: 'replayed', actor: 'anna' })
    expect(await store.deliveries(event)).toHaveLength(1)
    const runs = [run(await stored(event), { durationMs: 7 })]
    await settleAll('replayed', { runs, finished: true }, 'replay-1')
    const views = await store.deliveries(event)
    expect(
      views.map(({ id, replay, state, runs }) => [id, replay, state, runs.map((each) => each.durationMs)]),
    ).toEqual([
      [`replayed/1.${event.seq}`, null, 'completed', [1.5]],
      [`replayed/1.${event.seq}~replay-1`, 'replay-1', 'completed', [7]],
    ])
  })
})
