// Breakers on any store: shared, opened at the limit, probed one at a time.
import { describe, expect, it } from 'vitest'
import { longMs, type OpenScene, type Scene, shortMs } from './scene.js'

export function describeBreaker(open: OpenScene): void {
  describe('breaker', () => {
    describeOpening(open)
    describePlaces(open)
    describeProbing(open)
    describeHand(open)
  })
}

const bank = { name: 'bank', tenant: '', key: '' }

const failed = (
  scene: Scene,
  count: number,
  parts: { tenant?: string; key?: string; windowMs?: number; cooldownMs?: number } = {},
) =>
  scene.store.breakerFailed({
    ...{ ...bank, failuresMax: 3, windowMs: longMs, cooldownMs: longMs, error: 'away' },
    count,
    ...parts,
  })

async function breaker(scene: Scene, tenant = '', key = '') {
  const all = await scene.store.breakers()
  return all.find((each) => each.name === 'bank' && each.tenant === tenant && each.key === key)
}

async function probed(scene: Scene, probeMs: number): Promise<void> {
  await scene.eventually('a probe', () => scene.store.breakerProbe(bank, probeMs))
}

function describeOpening(open: OpenScene): void {
  it('opens at the limit, for its cooldown, and keeps the error', async () => {
    const scene = await open()
    expect(await scene.store.breakers()).toEqual([])
    await failed(scene, 2)
    expect(await breaker(scene)).toMatchObject({
      state: 'closed',
      failures: 2,
      opensForMs: 0,
      closedForMs: null,
    })
    await failed(scene, 1)
    const opened = await breaker(scene)
    expect(opened).toMatchObject({ state: 'open', lastError: 'away', closedForMs: null })
    expect(opened?.opensForMs).toBeGreaterThan(longMs / 2)
    expect(opened?.openedAtMs).not.toBeNull()
    expect(await scene.store.breakerProbe(bank, longMs)).toBe(false)
  })

  it('adds up what workers report at once', async () => {
    const scene = await open()
    await Promise.all([failed(scene, 1), failed(scene, 1), failed(scene, 1)])
    expect((await breaker(scene))?.state).toBe('open')
  })

  it('counts within its window alone', async () => {
    const scene = await open()
    await failed(scene, 2, { windowMs: shortMs })
    await scene.eventually('another window', async () => {
      await failed(scene, 0, { windowMs: shortMs })
      return (await breaker(scene))?.failures === 0
    })
    await failed(scene, 2, { windowMs: longMs })
    expect(await breaker(scene)).toMatchObject({ state: 'closed', failures: 2 })
  })
}

function describePlaces(open: OpenScene): void {
  it('keeps tenants apart (I62)', async () => {
    const scene = await open()
    await failed(scene, 3, { tenant: 'acme' })
    await failed(scene, 1, { tenant: 'other' })
    expect((await breaker(scene, 'acme'))?.state).toBe('open')
    expect((await breaker(scene, 'other'))?.state).toBe('closed')
    expect(await breaker(scene)).toBeUndefined()
  })

  it('keeps the keys of a tenant apart', async () => {
    const scene = await open()
    const [first, second] = [
      { ...bank, tenant: 'acme', key: 'first' },
      { ...bank, tenant: 'acme', key: 'second' },
    ]
    await failed(scene, 3, { ...first, cooldownMs: 0 })
    await failed(scene, 1, second)
    await failed(scene, 1, { tenant: 'other', key: 'first' })
    expect((await breaker(scene, 'acme', 'first'))?.state).toBe('open')
    expect((await breaker(scene, 'acme', 'second'))?.state).toBe('closed')
    expect((await breaker(scene, 'other', 'first'))?.state).toBe('closed')
    expect(await scene.store.breakerProbe(second, longMs)).toBe(false)
    expect(await scene.store.breakerProbe({ ...bank, tenant: 'acme' }, longMs)).toBe(false)
    expect(await scene.store.breakerProbe(first, longMs)).toBe(true)
    await scene.store.breakerSucceeded(second, 1)
    expect((await breaker(scene, 'acme', 'first'))?.state).toBe('half-open')
    await scene.store.breakerSucceeded(first, 1)
    expect((await breaker(scene, 'acme', 'first'))?.state).toBe('closed')
    await scene.store.breakerSet(second, 'open', longMs, 'ann')
    expect((await breaker(scene, 'acme', 'second'))?.state).toBe('open')
    expect((await breaker(scene, 'acme', 'first'))?.state).toBe('closed')
  })

  it('lists those that hold something, or did so lately, without the others', async () => {
    const scene = await open()
    const listed = async (ms: number) => (await scene.store.breakers(ms)).map(({ key }) => key).sort()
    await failed(scene, 1, { key: 'counting' })
    await failed(scene, 3, { key: 'open' })
    await scene.store.breakerSet({ ...bank, key: 'closed' }, 'open', longMs, 'ann')
    await scene.store.breakerSet({ ...bank, key: 'closed' }, 'closed', 0, 'ann')
    expect(await listed(longMs)).toEqual(['closed', 'open'])
    await scene.eventually('a while behind it', async () => (await listed(shortMs)).length === 1)
    expect(await listed(shortMs)).toEqual(['open'])
    expect(await scene.store.breakers()).toHaveLength(3)
  })
}

function describeProbing(open: OpenScene): void {
  it('lets one probe through after the cooldown, and the next when its time is up', async () => {
    const scene = await open()
    await failed(scene, 3, { cooldownMs: 20 })
    await probed(scene, longMs)
    expect((await breaker(scene))?.state).toBe('half-open')
    const others = await Promise.all([1, 2, 3].map(() => scene.store.breakerProbe(bank, longMs)))
    expect(others).toEqual([false, false, false])
    await failed(scene, 1, { cooldownMs: 20 })
    await probed(scene, 20)
    await probed(scene, longMs)
    expect((await breaker(scene))?.state).toBe('half-open')
  })

  it('closes after so many successes, and begins to count anew', async () => {
    const scene = await open()
    await failed(scene, 3, { cooldownMs: 20 })
    await probed(scene, longMs)
    await scene.store.breakerSucceeded(bank, 2)
    expect((await breaker(scene))?.state).toBe('half-open')
    expect(await scene.store.breakerProbe(bank, longMs)).toBe(true)
    await scene.store.breakerSucceeded(bank, 2)
    expect(await breaker(scene)).toMatchObject({ state: 'closed', failures: 0, opensForMs: 0 })
    expect((await breaker(scene))?.closedForMs).toBeGreaterThanOrEqual(0)
    await failed(scene, 2)
    expect((await breaker(scene))?.state).toBe('closed')
  })

  it('opens at once when a probe fails', async () => {
    const scene = await open()
    await failed(scene, 3, { cooldownMs: 20 })
    await probed(scene, longMs)
    await scene.store.breakerSucceeded(bank, 2)
    // One is enough, though the failures before are out of the window.
    await failed(scene, 1, { windowMs: 1 })
    expect((await breaker(scene))?.state).toBe('open')
    expect((await breaker(scene))?.opensForMs).toBeGreaterThan(longMs / 2)
  })

  it('answers about a breaker that is closed or unknown', async () => {
    const scene = await open()
    await scene.store.breakerSucceeded(bank, 1)
    expect(await scene.store.breakerProbe(bank, longMs)).toBe(false)
    await failed(scene, 1)
    expect(await scene.store.breakerProbe(bank, longMs)).toBe(false)
    await scene.store.breakerSucceeded(bank, 1)
    expect(await breaker(scene)).toMatchObject({ state: 'closed', closedForMs: null })
  })
}

function describeHand(open: OpenScene): void {
  it('obeys an operator and writes that down (I74)', async () => {
    const scene = await open()
    await scene.store.breakerSet(bank, 'open', longMs, 'ann')
    expect((await breaker(scene))?.opensForMs).toBeGreaterThan(longMs / 2)
    await scene.store.breakerSet(bank, 'closed', 0, 'bob')
    expect(await breaker(scene)).toMatchObject({ state: 'closed', failures: 0, opensForMs: 0 })
    const { items } = await scene.store.audit({})
    expect(items.map(({ actor, target }) => `${actor} ${target}`)).toEqual(['bob bank', 'ann bank'])
  })
}
