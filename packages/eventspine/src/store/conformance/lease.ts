// Leases on any store: one holder at a time, tokens that only grow, and nothing inherited.
import { describe, expect, it } from 'vitest'
import { consumerId, type Lease } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import { longMs, type OpenScene, type Scene, shortMs } from './scene.js'

export function describeLease(open: OpenScene): void {
  describe('lease', () => {
    describeGrants(open)
    describeExpiry(open)
    describeDeaths(open)
    describeRenewal(open)
    describeWorkers(open)
    describeDefinitions(open)
    describeBuilds(open)
  })
}

const tokenOf = ({ subscription, replay, shard, token }: Lease) => ({ subscription, replay, shard, token })

async function renewed(scene: Scene, worker: string, lease: Lease, leaseMs: number): Promise<boolean> {
  const held = await scene.store.renew({ worker, leases: [{ ...tokenOf(lease), leaseMs }] })
  return held.has(consumerId(lease))
}

function describeGrants(open: OpenScene): void {
  it('grants each shard once among workers that ask at once; together they cover all (I41)', async () => {
    const scene = await open()
    await scene.subscribe({ shards: 8 })
    const workers = ['a', 'b', 'c', 'd']
    const ask = (worker: string) =>
      scene.store.acquire({ worker, leaseMs: { ship: longMs }, consumersMax: 3, deadWorkers: [] })
    const granted = (await Promise.all(workers.map(ask))).flat()
    granted.push(...(await scene.acquire('e')))
    expect(granted.map(({ shard }) => shard).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(granted.map(({ shards }) => shards)).toEqual(Array(8).fill(8))
    expect(await scene.acquire('f')).toEqual([])
  })

  it('grants at most what is asked for, and only of the subscriptions named', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'ship', shards: 3 })
    await scene.subscribe({ name: 'bill', shards: 3 })
    const request = { worker: 'a', deadWorkers: [] }
    expect(await scene.store.acquire({ ...request, leaseMs: { ship: longMs }, consumersMax: 0 })).toEqual([])
    const two = await scene.store.acquire({ ...request, leaseMs: { ship: longMs }, consumersMax: 2 })
    expect(two.map(({ subscription }) => subscription)).toEqual(['ship', 'ship'])
    const rest = await scene.store.acquire({ ...request, leaseMs: { ship: longMs }, consumersMax: 9 })
    expect(rest).toHaveLength(1)
    expect(await scene.store.acquire({ ...request, leaseMs: {}, consumersMax: 9 })).toEqual([])
  })

  it('grants alarms first', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'chart', shards: 5 })
    await scene.subscribe({ name: 'alarm', priority: 'alarm' })
    const leaseMs = { chart: longMs, alarm: longMs }
    const [first] = await scene.store.acquire({ worker: 'a', leaseMs, consumersMax: 1, deadWorkers: [] })
    expect(first?.subscription).toBe('alarm')
  })

  it('never lets a worker inherit a lease by its name (I38)', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.leased('worker-a')
    expect(await scene.acquire('worker-a')).toEqual([])
  })
}

function describeExpiry(open: OpenScene): void {
  it('raises the token with every grant, whoever gets it (I33)', async () => {
    const scene = await open()
    await scene.subscribe()
    const tokens: number[] = []
    for (const worker of ['a', 'b', 'b', 'a']) {
      const lease = await scene.leased(worker)
      tokens.push(lease.token)
      await scene.store.release([tokenOf(lease)])
    }
    const short = await scene.leased('a', 'ship', shortMs)
    tokens.push(short.token, (await scene.leased('b')).token)
    expect(new Set(tokens).size).toBe(tokens.length)
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b))
  })

  it('hands an expired lease on with its cursor, and not before it expired (I35, I37)', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'ship' })
    await scene.subscribe({ name: 'bill' })
    const [event] = await scene.published(1)
    const long = await scene.leased('worker-a', 'bill')
    const first = await scene.leased('worker-a', 'ship', shortMs)
    await scene.settle(first, await scene.passing(first, event as never))
    const second = await scene.leased('worker-b', 'ship')
    expect(second).toMatchObject({ tick: event?.tick, seq: event?.seq, revision: first.revision + 1 })
    expect(second.token).toBeGreaterThan(first.token)
    expect(await scene.acquire('worker-b', 'bill')).toEqual([])
    expect(await renewed(scene, 'worker-a', long, longMs)).toBe(true)
  })

  it('releases at once, and by the newest token alone', async () => {
    const scene = await open()
    await scene.subscribe()
    const first = await scene.leased('worker-a')
    await scene.store.release([tokenOf(first)])
    const [second] = await scene.acquire('worker-b')
    expect(second?.deaths).toBe(0)
    await scene.store.release([tokenOf(first)])
    expect(await scene.acquire('worker-c')).toEqual([])
  })
}

function describeDeaths(open: OpenScene): void {
  it('ends the leases of the dead also for who wants none of them', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.leased('worker-a')
    const asked = { worker: 'worker-b', leaseMs: { ship: longMs }, consumersMax: 0 }
    expect(await scene.store.acquire({ ...asked, deadWorkers: ['worker-a'] })).toEqual([])
    expect(await scene.acquire('worker-c')).toHaveLength(1)
  })

  it('takes over from a worker known to be dead without waiting, and counts its death', async () => {
    const scene = await open()
    await scene.subscribe()
    await scene.leased('worker-a')
    expect(await scene.acquire('worker-b', 'ship', longMs, ['worker-x'])).toEqual([])
    const [taken] = await scene.acquire('worker-b', 'ship', longMs, ['worker-x', 'worker-a'])
    expect(taken?.deaths).toBe(1)
  })

  it('counts holders that vanished until the cursor moves (I19)', async () => {
    const scene = await open()
    await scene.subscribe()
    const [event] = await scene.published(1)
    for (const deaths of [0, 1, 2]) {
      expect((await scene.leased(`worker-${deaths}`, 'ship', shortMs)).deaths).toBe(deaths)
    }
    const lease = await scene.leased('worker-3')
    expect(lease.deaths).toBe(3)
    const still = await scene.settle(lease, scene.settlement(lease))
    await scene.store.release([tokenOf(still)])
    const again = await scene.leased('worker-4')
    expect(again.deaths).toBe(3)
    const moved = await scene.settle(again, await scene.passing(again, event as never))
    await scene.store.release([tokenOf(moved)])
    expect((await scene.leased('worker-5')).deaths).toBe(0)
  })
}

function describeRenewal(open: OpenScene): void {
  it('prolongs what is held, so that nobody else is granted it', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'ship' })
    await scene.subscribe({ name: 'bill' })
    const kept = await scene.leased('worker-a', 'ship', shortMs)
    await scene.leased('worker-a', 'bill', shortMs)
    expect(await renewed(scene, 'worker-a', kept, longMs)).toBe(true)
    // `bill` was leased later and for as long: once it can be taken, `ship` would have been free too.
    await scene.leased('worker-b', 'bill')
    expect(await scene.acquire('worker-b', 'ship')).toEqual([])
  })

  it('never revives a lease that was granted on (I39)', async () => {
    const scene = await open()
    await scene.subscribe()
    const lost = await scene.leased('worker-a', 'ship', shortMs)
    const held = await scene.leased('worker-b')
    expect(await renewed(scene, 'worker-a', lost, longMs)).toBe(false)
    // Also when it comes back to the same worker: the older grant stays dead.
    await scene.store.release([tokenOf(held)])
    const back = await scene.leased('worker-a')
    expect(await renewed(scene, 'worker-a', lost, longMs)).toBe(false)
    expect(await renewed(scene, 'worker-b', back, longMs)).toBe(false)
    expect(await renewed(scene, 'worker-a', back, longMs)).toBe(true)
  })

  it('does not renew what was released, nor shorten a neighbour', async () => {
    const scene = await open()
    await scene.subscribe({ shards: 2 })
    const [one, two] = (await scene.acquire('worker-a')) as [Lease, Lease]
    await scene.store.release([tokenOf(one)])
    const leases = [one, two].map((lease) => ({ ...tokenOf(lease), leaseMs: longMs }))
    expect(await scene.store.renew({ worker: 'worker-a', leases })).toEqual(new Set([consumerId(two)]))
    expect((await scene.acquire('worker-b')).map(({ shard }) => shard)).toEqual([one.shard])
  })
}

function describeWorkers(open: OpenScene): void {
  it('lists live workers and how many consumers there are to share', async () => {
    const scene = await open()
    await scene.subscribe({ name: 'ship', shards: 3 })
    await scene.subscribe({ name: 'bill', shards: 2 })
    await scene.subscribe({ name: 'else', shards: 4 })
    await scene.store.heartbeat(scene.worker('worker-a'), {})
    const answer = await scene.store.heartbeat(scene.worker('worker-b', { consumers: 2 }), {
      ship: '',
      bill: '',
    })
    expect(answer.workers.map(({ id, consumers }) => [id, consumers]).sort()).toEqual([
      ['worker-a', 0],
      ['worker-b', 2],
    ])
    expect(
      [...answer.own].map(([name, { consumers, runners }]) => [name, consumers, runners]).sort(),
    ).toEqual([
      ['bill', 2, 2],
      ['ship', 3, 2],
    ])
    expect(answer.workers[0]?.identity).toBe('machine/worker-a')
    expect(answer.silent).toEqual([])
    expect((await scene.store.workers()).map(({ id }) => id).sort()).toEqual(['worker-a', 'worker-b'])
    await scene.store.removeWorker('worker-a')
    expect((await scene.store.workers()).map(({ id }) => id)).toEqual(['worker-b'])
  })
}

const two = { selection: 'two', on: ['orders.*', 'bills.*'] }
const acquire = (scene: Scene, worker: string, selection: string) =>
  scene.store.acquire({
    ...{ worker, leaseMs: { ship: longMs }, selections: { ship: selection } },
    ...{ consumersMax: 9, deadWorkers: [] },
  })
const heartbeat = (scene: Scene, worker: string, selection: string) =>
  scene.store.heartbeat(scene.worker(worker), { ship: selection })

/** While versions roll out, one definition of each subscription is in force: the one that was registered last. */
function describeDefinitions(open: OpenScene): void {
  it('is granted to whoever has the definition that is registered, and to nobody else (I26)', async () => {
    const scene = await open()
    await scene.subscribe({ selection: 'one' })
    await scene.subscribe(two)
    expect(await acquire(scene, 'worker-a', 'one')).toEqual([])
    expect(await acquire(scene, 'worker-b', 'two')).toHaveLength(1)
  })

  it('a holder of before records what was there, and nothing that came behind the change (I26)', async () => {
    const scene = await open()
    await scene.subscribe({ selection: 'one' })
    const [before] = (await scene.published(1)) as [StoredEvent]
    const [lease] = (await acquire(scene, 'worker-a', 'one')) as [Lease]
    await scene.subscribe(two)
    const [behind] = (await scene.published(1, { type: 'bills.sent' })) as [StoredEvent]
    const after = await scene.settle(lease, await scene.passing(lease, before))
    await expect(scene.settle(after, await scene.passing(after, behind))).rejects.toThrow(/refused/)
    await scene.store.release([tokenOf(after)])
    const [next] = (await acquire(scene, 'worker-b', 'two')) as [Lease]
    expect(next).toMatchObject({ tick: before.tick, seq: before.seq, deaths: 0 })
    await scene.settle(next, await scene.passing(next, behind))
  })

  it('of two changes in a row, the holder of before records nothing behind the first (I26)', async () => {
    const scene = await open()
    await scene.subscribe({ selection: 'one' })
    const [lease] = (await acquire(scene, 'worker-a', 'one')) as [Lease]
    await scene.subscribe(two)
    const [between] = (await scene.published(1)) as [StoredEvent]
    await scene.subscribe({ selection: 'three', on: ['orders.*'] })
    await expect(scene.settle(lease, await scene.passing(lease, between))).rejects.toThrow(/refused/)
  })

  it('tells whose definition is not in force any more, and where nobody runs the one that is', async () => {
    const scene = await open()
    await scene.subscribe({ selection: 'one' })
    const told = async (worker: string, selection: string) =>
      (await heartbeat(scene, worker, selection)).own.get('ship')
    const own = { current: true, manned: true, consumers: 1, runners: 1, build: 0 }
    await told('worker-a', 'one')
    expect(await told('worker-a', 'one')).toEqual(own)
    await scene.subscribe({ ...two, build: 7 })
    await heartbeat(scene, 'worker-b', 'two')
    expect(await told('worker-a', 'one')).toEqual({ ...own, current: false, build: 7 })
    await scene.store.removeWorker('worker-b')
    const unmanned = { current: false, manned: false, consumers: 1, runners: 0, build: 7 }
    expect(await told('worker-a', 'one')).toEqual(unmanned)
    await scene.subscribe({ selection: 'one' })
    expect(await told('worker-a', 'one')).toEqual(own)
    await scene.store.pause('ship', 'ada')
    expect(await told('worker-a', 'one')).toEqual({ ...own, consumers: 0 })
  })
}

function describeBuilds(open: OpenScene): void {
  it('is not taken over by an older build while somebody runs the newer one', async () => {
    const scene = await open()
    await scene.subscribe({ ...two, build: 2 })
    await heartbeat(scene, 'worker-b', 'two')
    await scene.subscribe({ selection: 'one', build: 1 })
    expect((await scene.view()).on).toEqual(two.on)
    expect(await acquire(scene, 'worker-a', 'one')).toEqual([])
    await scene.store.removeWorker('worker-b')
    await scene.subscribe({ selection: 'one', build: 1 })
    expect((await scene.view()).on).toEqual(['orders.*'])
    expect(await acquire(scene, 'worker-a', 'one')).toHaveLength(1)
  })
}
