import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineSubscription } from '../deliver/subscription.js'
import { defineEvent } from '../event/definition.js'
import { EventspineError, systemClock, systemRandom } from '../kernel/index.js'
import {
  deadLettersOf,
  leaseOf,
  newEvent,
  openTestStore,
  record,
  type TestStore,
  workOff,
} from '../store/postgres/inspect.fixture.js'
import { defineApp } from './app.js'
import { Operator, type OperatorServices } from './operator.js'
import { Personal } from './personal.js'

const placed = defineEvent({
  type: 'orders.order-placed',
  version: 1,
  schema: z.object({ quantity: z.int().positive() }),
})
const shipped = defineEvent({
  type: 'orders.order-shipped',
  version: 2,
  schema: z.object({ carrier: z.string() }),
  upcast: { 1: (old: { by: string }) => ({ carrier: old.by }) },
})
const handle = () => {}
const app = defineApp({
  name: 'test',
  events: [placed, shipped],
  subscriptions: [
    defineSubscription({
      name: 'push',
      on: placed,
      breaker: { name: 'stripe', failures: 5, cooldownMs: 1_000 },
      handle,
    }),
    defineSubscription({ name: 'chart', on: 'orders.*', handle, external: false }),
    defineSubscription({ name: 'ledger', on: placed, handle }),
  ],
})

let store: TestStore
let operator: Operator
let services: OperatorServices
let sleeps = 0
const bodies = new Map<string, string>()

beforeAll(async () => {
  store = await openTestStore()
  await store.register([record('push'), record('chart')])
  // Real time, but a pause is out of patience after some polls instead of minutes.
  const clock = { ...systemClock, monotonic: () => sleeps * 30_000, sleep: async () => void sleeps++ }
  const body = async (event: { readonly data: string | null; readonly claim: string | null }) => {
    const found = event.data ?? bodies.get(event.claim ?? '')
    if (found === undefined) throw new EventspineError('NOT_FOUND', 'gone')
    return found
  }
  const preparation = {
    clock: systemClock,
    random: systemRandom,
    tenant: 'default',
    source: '/test',
    hardLimitBytes: 1_000,
    activeTraceparent: () => undefined,
    registry: app.registry,
    personal: new Personal({
      ...{ app, clock: systemClock, random: systemRandom, tenant: 'default', masterKeys: [], work: true },
      cellOf: () => {
        throw new Error('unused')
      },
    }),
  }
  services = {
    ...{
      store,
      app,
      runner: { body },
      clock,
      random: systemRandom,
      preparation,
      tables: [],
      sources: [],
      masters: [],
    },
    live: () => [],
  }
  operator = new Operator(services)
})
afterAll(() => store.drop())

describe('events', () => {
  test('one with its deliveries and its tree, of its own tenant only', async () => {
    await store.append([
      newEvent({ id: 'first', tenant: 'a', correlationId: 'first', data: '{"quantity":2}' }),
    ])
    await store.append([
      newEvent({ id: 'second', tenant: 'a', correlationId: 'first', causationId: 'first' }),
    ])
    await store.append([
      newEvent({ id: 'foreign', tenant: 'b', correlationId: 'first', causationId: 'first' }),
    ])
    const details = await operator.event('second', 'a')
    expect(details?.event).toMatchObject({ id: 'second', causationId: 'first', data: { quantity: 1 } })
    expect(details?.deliveries.map((delivery) => [delivery.subscription, delivery.state])).toEqual([
      ['chart', 'pending'],
      ['push', 'pending'],
    ])
    expect(details?.chain).toMatchObject({
      event: { id: 'first', data: { quantity: 2 } },
      children: [{ event: { id: 'second' }, children: [] }],
    })
    expect(await operator.event('second', 'b')).toBeNull()
    expect(await operator.event('none')).toBeNull()
    // Which is meant, only a person can say.
    await store.append([newEvent({ id: 'second', tenant: 'b' })])
    expect((await operator.event('second'))?.otherTenants).toEqual(['a'])
    expect((await operator.event('second', 'a'))?.otherTenants).toEqual([])
  })

  test('a body in the object store is fetched, and null when it is gone', async () => {
    bodies.set('ref-1', '{"large":true}')
    await store.append([
      newEvent({ tenant: 'claims', data: null, claim: 'ref-1' }),
      newEvent({ tenant: 'claims', data: null, claim: 'ref-2' }),
    ])
    const { items } = await operator.events({ tenant: 'claims' })
    expect(items.map((event) => event.data)).toEqual([null, { large: true }])
    // It is told from a null that was published.
    expect(items.map(({ unreadable }) => unreadable)).toEqual([
      { claim: 'ref-2', reason: expect.stringMatching(/./) },
      undefined,
    ])
    const [large, gone] = await deadLettersOf(store, 'chart', [
      newEvent({ tenant: 'claims', type: 'orders.order-placed', data: null, claim: 'ref-1' }),
      newEvent({ tenant: 'claims', type: 'orders.order-placed', data: null, claim: 'ref-2' }),
    ])
    const letters = (await operator.deadLetters({ tenant: 'claims' })).items
    const dataOf = async (event: { readonly id: string } | undefined) => {
      const listed = letters.find((each) => each.event.id === event?.id)
      return (await operator.deadLetter(listed?.id ?? ''))?.event.data
    }
    expect([await dataOf(large), await dataOf(gone)]).toEqual([{ large: true }, null])
  })
})

describe('pause', () => {
  test('resolves when nobody holds a lease, and names the holder when one does not let go', async () => {
    await operator.pause('chart', 'anna')
    await operator.resume('chart', 'anna')
    const lease = await leaseOf(store, 'chart')
    await store.heartbeat(
      {
        id: 'worker-1',
        identity: '',
        host: 'box',
        processId: 77,
        version: '',
        startedAtMs: 0,
        heartbeatAtMs: 0,
        running: {},
        consumers: 1,
      },
      {},
    )
    await expect(operator.pause('chart', 'anna')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('process 77 on box'),
      retryAfterMs: 5_000,
    })
    await store.release([lease])
    await operator.pause('chart', 'anna')
    await operator.resume('chart', 'anna')
    await expect(operator.pause('none', 'anna')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(operator.pause('chart', '')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      field: '/actor',
    })
  })
})

test('removes a subscription though somebody resumes it in between', async () => {
  await store.register([record('gone')])
  let resumed = 0
  const remove: typeof store.remove = async (name, actor) => {
    if (resumed++ === 0) await store.resume(name, 'ben')
    return store.remove(name, actor)
  }
  await new Operator({ ...services, store: { ...store, remove } }).removeSubscription('gone', 'anna')
  expect((await operator.subscriptions()).map(({ name }) => name)).not.toContain('gone')
  const actions = (await operator.audit()).items.filter(({ target }) => target === 'gone')
  expect(actions.map(({ action, actor }) => `${actor} ${action}`)).toEqual([
    'anna subscription.remove',
    'anna subscription.pause',
    'ben subscription.resume',
    'anna subscription.pause',
  ])
})

describe('redrive', () => {
  test('with edited data validates it first, and sends exactly that letter', async () => {
    const [first, second] = await deadLettersOf(store, 'chart', [
      newEvent({ tenant: 'edit' }),
      newEvent({ tenant: 'edit' }),
    ])
    const ids = [`chart/1.${first?.seq}`]
    const edit = (given: object) =>
      operator.redrive({ filter: { ids }, actor: 'anna', canary: 0, rate: 1_000, ...given })
    await expect(edit({ data: { quantity: 0 } })).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      field: '/data/quantity',
    })
    await expect(edit({ data: { quantity: 1, text: 'x'.repeat(2_000) } })).rejects.toMatchObject({
      code: 'EVENT_TOO_LARGE',
    })
    await expect(edit({ filter: { tenant: 'edit' }, data: { quantity: 5 } })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      field: '/filter',
    })
    await expect(edit({ filter: { tenant: 'nobody' }, data: { quantity: 5 } })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      field: '/filter',
    })
    expect((await store.redrives({})).items).toEqual([])

    const clicks = await Promise.all([
      edit({ data: { quantity: 5 }, idempotencyKey: 'c' }),
      edit({ data: { quantity: 5 }, idempotencyKey: 'c' }),
    ])
    expect(clicks[0]?.id).toBe(clicks[1]?.id)
    await store.advanceRedrives()
    expect((await edit({ data: { quantity: 5 }, idempotencyKey: 'c' })).id).toBe(clicks[0]?.id)
    const lease = await leaseOf(store, 'chart')
    expect((await store.claimDue([lease], 10)).map(({ event }) => [event.id, event.data])).toEqual([
      [first?.id, '{"quantity":5}'],
    ])
    await store.release([lease])
    expect(await operator.deadLetter(`chart/1.${second?.seq}`)).toMatchObject({ state: 'dead' })
  })

  test('edits an event of an older version through the upcasters', async () => {
    const [old] = await deadLettersOf(store, 'push', [newEvent({ type: 'orders.order-shipped', data: '{}' })])
    const edit = (data: unknown) =>
      operator.redrive({ filter: { ids: [`push/1.${old?.seq}`] }, actor: 'anna', data })
    await expect(edit({ by: 5 })).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/data' })
    await expect(edit({ by: 1n })).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/data' })
    expect(await edit({ by: 'ship' })).toMatchObject({ selected: 1 })
    const [wide] = await deadLettersOf(store, 'push', [newEvent({ tenant: 'wide' })])
    // By a wider filter too, only the letter that was looked at.
    const narrowed = await operator.redrive({
      filter: { tenant: 'wide' },
      actor: 'anna',
      data: { quantity: 1 },
    })
    expect(narrowed.filter).toEqual({ ids: [`push/1.${wide?.seq}`] })
    const [unknown] = await deadLettersOf(store, 'push', [newEvent({ type: 'orders.unknown' })])
    const request = { filter: { ids: [`push/1.${unknown?.seq}`] }, actor: 'anna', data: {} }
    await expect(operator.redrive(request)).rejects.toMatchObject({ code: 'EVENT_UNKNOWN' })
  })

  test('a subscription that is nowhere is told, with the nearest name', async () => {
    const request = { filter: { subscription: 'pusj' }, actor: 'anna' }
    await expect(operator.redrive(request)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      field: '/filter/subscription',
      message: expect.stringContaining('Did you mean "push"?'),
    })
    expect((await store.redrives({})).items).not.toContainEqual(
      expect.objectContaining({ filter: request.filter }),
    )
  })

  test('needs an actor and sound numbers, discard a reason', async () => {
    await expect(operator.redrive({ filter: {}, actor: '' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      field: '/actor',
    })
    await expect(operator.redrive({ filter: {}, actor: 'anna', rate: 0 })).rejects.toMatchObject({
      field: '/rate',
    })
    await expect(operator.previewRedrive({}, 0)).rejects.toMatchObject({ field: '/roundsMax' })
    await expect(operator.discard({}, 'anna', ' ')).rejects.toMatchObject({ field: '/reason' })
  })
})

describe('replay', () => {
  test('of a handler that calls the world is refused unless it is named', async () => {
    await expect(operator.replay({ subscription: 'push', actor: 'anna' })).rejects.toMatchObject({
      code: 'REPLAY_REFUSED',
      message: expect.stringContaining('external: true'),
    })
    await expect(operator.replay({ subscription: 'none', actor: 'anna' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('push, chart'),
    })
    expect((await operator.replays()).items).toEqual([])
    const named = await operator.replay({ subscription: 'push', actor: 'anna', external: true })
    const quiet = await operator.replay({ subscription: 'chart', actor: 'anna', from: new Date() })
    expect((await operator.replays()).items.map((replay) => replay.id)).toEqual([quiet.id, named.id])
    expect(await operator.stopReplay(named.id, 'ben')).toMatchObject({ state: 'stopped' })
    expect(await operator.replayStatus(quiet.id)).toMatchObject({ state: 'running' })
  })
})

describe('doctor', () => {
  test('balances at every stage of a dead letter, and counts halted keys', async () => {
    await store.register([record('ledger')])
    const sums = async () => {
      const line = (await operator.doctor()).subscriptions.find((each) => each.name === 'ledger')
      return [line?.balanced, line?.matched, line?.completed, line?.retrying, line?.dead, line?.skipped]
    }
    expect(await sums()).toEqual([true, 0, 0, 0, 0, 0])
    const events = ['x', 'x', 'y'].map((key) => newEvent({ key, tenant: 'ledger' }))
    const stored = await deadLettersOf(store, 'ledger', events, { halts: true })
    expect(await sums()).toEqual([true, 3, 0, 0, 3, 0])
    const halted = (await operator.doctor()).findings.find((found) => found.message.includes('halted'))
    expect(halted).toMatchObject({
      subject: 'subscription ledger',
      message: expect.stringContaining('2 keys'),
    })
    await operator.discard({ ids: [`ledger/1.${stored[2]?.seq}`] }, 'anna', 'x')
    expect(await sums()).toEqual([true, 3, 0, 0, 3, 0])
    await operator.redrive({ filter: { subscription: 'ledger' }, actor: 'anna', canary: 0, rate: 1_000 })
    await store.sql(`UPDATE eventspine.redrive SET sent_at = sent_at - interval '10 seconds'`)
    await store.advanceRedrives()
    expect(await sums()).toEqual([true, 3, 0, 2, 1, 0])
    expect(await workOff(store, 'ledger', 'done', 1)).toBe(1)
    expect(await sums()).toEqual([true, 3, 1, 1, 1, 0])
    await workOff(store, 'ledger', 'dead')
    expect(await sums()).toEqual([true, 3, 1, 0, 2, 0])
    await store.sql(`UPDATE eventspine.consumer SET completed = completed + 1 WHERE subscription = 'ledger'`)
    const report = await operator.doctor()
    expect(await sums()).toEqual([false, 3, 2, 0, 2, 0])
    expect(report.healthy).toBe(false)
    expect(report.findings[0]).toMatchObject({ severity: 'error' })
  })
})

test('breakers are set by hand with an actor; ping answers', async () => {
  await operator.setBreaker({ name: 'stripe' }, 'open', 'anna')
  expect(await operator.breakers()).toMatchObject([{ name: 'stripe', state: 'open' }])
  await expect(operator.setBreaker({ name: 'stripe' }, 'closed', '')).rejects.toMatchObject({
    field: '/actor',
  })
  await expect(operator.setBreaker({ name: 'a\0' }, 'open', 'anna')).rejects.toMatchObject({ field: '/name' })
  await operator.ping()
})

test('a breaker that nobody declares and that never failed is none', async () => {
  const set = (name: string) => operator.setBreaker({ name }, 'open', 'anna')
  await expect(set('strpe')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    field: '/name',
    message: 'There is no breaker "strpe". Did you mean "stripe"?',
  })
  await expect(set('bank')).rejects.toMatchObject({ message: 'There is no breaker "bank". Known: stripe.' })
  // One that another app's subscriptions share, or that is gone from the code, has a row.
  await store.sql(`INSERT INTO eventspine.breaker (name) VALUES ('bank')`)
  await set('bank')
  expect(await operator.breakers()).toMatchObject([{ name: 'bank', state: 'open' }, { name: 'stripe' }])
})
