// The audit on any store: who, why, and from what to what, in the words of every act; and found again by each of them.
import { describe, expect, it } from 'vitest'
import type { AuditQuery } from '../../inspect/port.js'
import { redriveRequest } from './redrive.js'
import type { OpenScene, Scene } from './scene.js'

const bank = { name: 'bank', tenant: 'acme', key: '' }
const endpoint = { webhooks: 'partners', tenant: 'acme', endpoint: 'ep-1' }

/** Every act that a store knows by itself, each once. */
async function acted(scene: Scene): Promise<void> {
  const { store } = scene
  await scene.subscribe()
  await scene.published(1)
  await store.createReplay('p1', { subscription: 'ship', actor: 'ann', reason: 'a new column' })
  await store.stopReplay('p1', 'bob', 'enough')
  await store.createRedrive('r1', redriveRequest({ reason: 'mended', changed: ['/country'] }))
  await store.breakerSet(bank, 'open', 1_000, 'ann', 'their maintenance')
  await store.breakerSet(bank, 'closed', 0, 'ann')
  const notice = () => scene.event()
  await store.disableWebhookEndpoint(endpoint, 'ann', 'asked for', notice)
  await store.enableWebhookEndpoint(endpoint, 'bob', 'they are back')
  await store.pause('ship', 'ann', 'a deployment')
  await store.resume('ship', 'bob')
  await store.pause('ship', 'ann')
  await store.remove('ship', 'ann', 'gone from the code')
}

const told: readonly (readonly [string, string, string, object])[] = [
  ['ann', 'replay.create', 'p1', { subscription: 'ship', reason: 'a new column' }],
  [
    ...(['bob', 'replay.stop', 'p1'] as const),
    {
      subscription: 'ship',
      before: 'running',
      after: 'stopped',
      progress: 0,
      ...{ matched: 0, completed: 0, dead: 0, released: 0 },
      reason: 'enough',
    },
  ],
  [
    ...(['ann', 'redrive.create', 'r1'] as const),
    { reason: 'mended', edited: false, changed: ['/country'], selected: 0 },
  ],
  [
    ...(['ann', 'breaker.open', 'bank/acme'] as const),
    { ...bank, before: 'closed', after: 'open', reason: 'their maintenance' },
  ],
  ['ann', 'breaker.close', 'bank/acme', { ...bank, before: 'open', after: 'closed' }],
  [
    ...(['ann', 'webhook.disable', 'ep-1'] as const),
    { ...endpoint, before: 'enabled', after: 'disabled', reason: 'asked for' },
  ],
  [
    ...(['bob', 'webhook.enable', 'ep-1'] as const),
    {
      ...{ ...endpoint, before: 'disabled', after: 'enabled', reason: 'they are back' },
      disabled: { cause: 'person', by: 'ann', reason: 'asked for' },
    },
  ],
  ['ann', 'subscription.pause', 'ship', { before: 'active', after: 'paused', reason: 'a deployment' }],
  ['bob', 'subscription.resume', 'ship', { before: 'paused', after: 'active' }],
  ['ann', 'subscription.pause', 'ship', { before: 'active', after: 'paused' }],
  [
    ...(['ann', 'subscription.remove', 'ship'] as const),
    { before: 'paused', after: 'removed', reason: 'gone from the code', deliveries: 0, deadLetters: 0 },
  ],
]

export function describeAudit(open: OpenScene): void {
  describe('audit', () => {
    it('invents no reason where nobody gave one', async () => {
      const scene = await open()
      await scene.subscribe()
      await scene.died(await scene.leased('worker-a'), 1, { message: 'no' })
      await scene.store.createRedrive('r1', redriveRequest())
      expect(await scene.store.stopRedrive('r1', 'bob')).toMatchObject({ state: 'stopped', note: null })
      const [act] = (await scene.store.audit({})).items
      expect(act).toMatchObject({
        actor: 'bob',
        action: 'redrive.stop',
        target: 'r1',
        details: { reason: null },
      })
    })

    it('says of every act who, why, and from what to what (I74)', async () => {
      const scene = await open()
      await acted(scene)
      const { items } = await scene.store.audit({})
      const acts = items
        .map(({ actor, action, target, details }) => [actor, action, target, details])
        .reverse()
      expect(acts).toMatchObject(told)
      expect(acts).toHaveLength(told.length)
    })

    const asked: readonly (readonly [AuditQuery, readonly string[]])[] = [
      [{ actor: 'bob' }, ['subscription.resume', 'webhook.enable', 'replay.stop']],
      [{ action: 'breaker.open' }, ['breaker.open']],
      [{ action: 'breaker.*' }, ['breaker.close', 'breaker.open']],
      [{ action: '*.open' }, ['breaker.open']],
      [{ target: 'bank' }, []],
      [{ target: 'bank*' }, ['breaker.close', 'breaker.open']],
      [{ target: 'p_' }, []],
      [{ target: 'p1', actor: 'ann' }, ['replay.create']],
      [{ actor: 'an' }, []],
    ]
    it.each(asked)('finds %j', async (query, actions) => {
      const scene = await open()
      await acted(scene)
      expect((await scene.store.audit(query)).items.map(({ action }) => action)).toEqual(actions)
    })

    it('finds one by its id, however many are newer', async () => {
      const scene = await open()
      await acted(scene)
      const { items } = await scene.store.audit({})
      const oldest = items.at(-1)
      expect((await scene.store.audit({ id: oldest?.id ?? 0, limit: 1 })).items).toEqual([oldest])
      expect((await scene.store.audit({ id: Number.MAX_SAFE_INTEGER })).items).toEqual([])
    })

    it('finds a time, and pages through what was found', async () => {
      const scene = await open()
      await acted(scene)
      const { items } = await scene.store.audit({})
      const at = new Date(Math.floor(items[0]?.atMs ?? 0))
      const [after, before] = [new Date(at.getTime() + 1_000), new Date(at.getTime() - 60_000)]
      expect((await scene.store.audit({ after })).items).toEqual([])
      expect((await scene.store.audit({ before })).items).toEqual([])
      expect((await scene.store.audit({ after: before, before: after })).items).toEqual(items)
      const first = await scene.store.audit({ actor: 'ann', limit: 5 })
      const next = await scene.store.audit({ actor: 'ann', limit: 5, cursor: first.cursor ?? '' })
      expect([...first.items, ...next.items]).toEqual(items.filter(({ actor }) => actor === 'ann'))
    })
  })
}
