// Endpoints of webhooks on any store: how long each has only failed, and which get no more messages.
import { describe, expect, it } from 'vitest'
import type { EndpointFailure, EndpointStanding } from '../../webhook/port.js'
import { idsOf, longMs, type OpenScene, type Scene, shortMs } from './scene.js'

const name = { webhooks: 'partners', tenant: 'acme', endpoint: 'ep-1' }
const none = { failingSinceMs: null, failures: 0, lastFailedAtMs: null, lastError: null, disabled: null }

/** Tells of what was disabled by an event whose id says how. */
const notice =
  (scene: Scene) =>
  ({ endpoint, disabled }: EndpointStanding) =>
    scene.event({ id: `${endpoint} ${disabled?.cause} by ${disabled?.by}` })

const failed = (scene: Scene, parts: Partial<EndpointFailure> = {}, place = name) =>
  scene.store.webhookFailed(
    place,
    { error: 'away', gone: false, failingMsMax: longMs, ...parts },
    notice(scene),
  )

const noticed = async (scene: Scene) => idsOf(await scene.log())

export function describeWebhook(open: OpenScene): void {
  describe('webhook', () => {
    describeFailures(open)
    describeDisabling(open)
    describeHand(open)
  })
}

function describeFailures(open: OpenScene): void {
  it('counts failures since the first, and forgets them with a success', async () => {
    const scene = await open()
    expect(await scene.store.webhookEndpoint(name)).toBeNull()
    const first = await failed(scene)
    expect(first).toEqual({
      ...{ ...name, ...none, failures: 1, lastError: 'away' },
      ...{ failingSinceMs: expect.any(Number), lastFailedAtMs: expect.any(Number) },
    })
    const second = await failed(scene, { error: 'still away' })
    expect(second).toMatchObject({
      failures: 2,
      lastError: 'still away',
      failingSinceMs: first.failingSinceMs,
    })
    expect(await scene.store.webhookEndpoint(name)).toEqual(second)
    await scene.store.webhookSucceeded(name)
    expect(await scene.store.webhookEndpoint(name)).toBeNull()
    expect((await failed(scene)).failures).toBe(1)
    expect(await noticed(scene)).toEqual([])
  })

  it('keeps webhooks, tenants and endpoints apart', async () => {
    const scene = await open()
    await failed(scene)
    for (const part of ['webhooks', 'tenant', 'endpoint'] as const) {
      const other = { ...name, [part]: 'other' }
      expect(await scene.store.webhookEndpoint(other)).toBeNull()
      await scene.store.webhookSucceeded(other)
    }
    expect((await scene.store.webhookEndpoint(name))?.failures).toBe(1)
  })
}

function describeDisabling(open: OpenScene): void {
  it('disables one that wants no more, and says so in the log, once', async () => {
    const scene = await open()
    for (const endpoint of ['failed-before', 'new']) {
      const place = { ...name, endpoint }
      if (endpoint === 'failed-before') await failed(scene, {}, place)
      const gone = await failed(scene, { gone: true }, place)
      expect(gone.disabled).toEqual({
        atMs: expect.any(Number),
        cause: 'gone',
        by: 'eventspine',
        reason: null,
      })
      expect(await failed(scene, { gone: true, error: 'later' }, place)).toEqual(gone)
      await scene.store.webhookSucceeded(place)
      expect(await scene.store.webhookEndpoint(place)).toEqual(gone)
    }
    expect(await noticed(scene)).toEqual(['failed-before gone by eventspine', 'new gone by eventspine'])
  })

  it('disables one that has only failed for so long', async () => {
    const scene = await open()
    expect((await failed(scene, { failingMsMax: shortMs })).disabled).toBeNull()
    const disabled = await scene.eventually('a time that is over', async () => {
      const standing = await failed(scene, { failingMsMax: shortMs })
      return standing.disabled === null ? null : standing
    })
    expect(disabled.disabled).toMatchObject({ cause: 'failing', by: 'eventspine' })
    expect((disabled.lastFailedAtMs ?? 0) - (disabled.failingSinceMs ?? 0)).toBeGreaterThanOrEqual(shortMs)
    expect(await noticed(scene)).toEqual(['ep-1 failing by eventspine'])
  })

  it('is told of once where two fail at once', async () => {
    const scene = await open()
    await failed(scene)
    await Promise.all([
      failed(scene, { gone: true }),
      failed(scene, { gone: true }),
      failed(scene, { gone: true }),
    ])
    expect(await noticed(scene)).toEqual(['ep-1 gone by eventspine'])
  })
}

function describeHand(open: OpenScene): void {
  it('is disabled and enabled by a person, who is written down', async () => {
    const scene = await open()
    const disable = (actor: string) =>
      scene.store.disableWebhookEndpoint(name, actor, 'asked for', notice(scene))
    expect(await scene.store.enableWebhookEndpoint(name, 'ann')).toBe(false)
    await failed(scene)
    expect(await scene.store.enableWebhookEndpoint(name, 'ann')).toBe(false)
    expect(await disable('ann')).toBe(true)
    expect(await disable('bob')).toBe(false)
    expect(await scene.store.webhookEndpoint(name)).toMatchObject({
      ...{ failures: 1, lastError: 'away' },
      disabled: { cause: 'person', by: 'ann', reason: 'asked for' },
    })
    expect(await scene.store.enableWebhookEndpoint(name, 'bob')).toBe(true)
    expect(await scene.store.webhookEndpoint(name)).toBeNull()
    const { items } = await scene.store.audit({})
    expect(items.map(({ actor, action, target }) => `${actor} ${action} ${target}`)).toEqual([
      ...['bob webhook.enable ep-1', 'ann webhook.disable ep-1'],
    ])
    expect(items.map(({ details }) => details)).toMatchObject([name, { ...name, reason: 'asked for' }])
    expect(await noticed(scene)).toEqual(['ep-1 person by ann'])
  })

  it('lists those that are disabled before those that fail, by name, so many', async () => {
    const scene = await open()
    const listed = async (query: object, most = 100) =>
      (await scene.store.webhookEndpoints(query, most)).map(({ endpoint, tenant }) => `${tenant} ${endpoint}`)
    await failed(scene, {}, { ...name, endpoint: 'b' })
    await failed(scene, {}, { ...name, endpoint: 'B' })
    await failed(scene, {}, { ...name, tenant: 'other', endpoint: 'a' })
    await failed(scene, { gone: true }, { ...name, endpoint: 'z' })
    await failed(scene, {}, { ...name, webhooks: 'users', endpoint: 'u' })
    const partners = ['acme z', 'acme B', 'acme b', 'other a']
    expect(await listed({})).toEqual([...partners, 'acme u'])
    expect(await listed({ webhooks: 'partners' })).toEqual(partners)
    expect(await listed({ tenant: 'other' })).toEqual(['other a'])
    expect(await listed({ state: 'disabled' })).toEqual(['acme z'])
    expect(await listed({ state: 'failing', tenant: 'acme' })).toEqual(['acme B', 'acme b', 'acme u'])
    expect(await listed({}, 2)).toEqual(['acme z', 'acme B'])
  })
}
