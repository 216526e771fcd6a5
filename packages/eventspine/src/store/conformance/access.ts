// API keys that servers share, and sessions of people: valid until they are withdrawn, closed or over.
import { describe, expect, it } from 'vitest'
import type { OpenScene, Scene } from './scene.js'

const made = (id: string, tenant: string | null = null) => ({
  ...{ id, hash: `hash of ${id}`, name: `ann's ${id}`, scopes: ['read', 'operate'], tenant },
})
const act = (id: string) => ({ actor: 'ann', action: 'key.create', target: id, details: { name: id } })
const store = (scene: Scene, id: string) => scene.store.storeKey(made(id), act(id))
const hour = { lifeMs: 3_600_000, sessionsMax: 2 }
const ofKey = (keyId: string) => ({ keyId, keyHash: `hash of ${keyId}` })

export function describeAccess(open: OpenScene): void {
  describe('access', () => {
    it('keeps a key with its audit row, once (I74)', async () => {
      const scene = await open()
      expect(await store(scene, 'a')).toBe(true)
      expect(await scene.store.storeKey({ ...made('a'), hash: 'other' }, act('a'))).toBe(false)
      expect(await scene.store.storeKey(made('b', 'acme'), act('b'))).toBe(true)
      const keys = await scene.store.storedKeys()
      expect(keys).toMatchObject([
        { ...made('b', 'acme'), createdBy: 'ann', withdrawn: null },
        { ...made('a'), createdAtMs: expect.any(Number) },
      ])
      expect((await scene.store.audit({})).items).toMatchObject([act('b'), act('a')])
    })

    it('withdraws a key with its audit row, once, and still knows it (I74)', async () => {
      const scene = await open()
      for (const id of ['a', 'b']) await store(scene, id)
      const withdrawn = { atMs: expect.any(Number), by: 'bob', reason: 'lost' }
      expect(await scene.store.withdrawKey('a', 'bob', 'lost')).toMatchObject({ id: 'a', withdrawn })
      expect(await scene.store.withdrawKey('a', 'eve', 'again')).toBeNull()
      expect(await scene.store.withdrawKey('unknown', 'eve', 'x')).toBeNull()
      expect(await scene.store.storedKeys()).toMatchObject([
        { id: 'b', withdrawn: null },
        { id: 'a', withdrawn },
      ])
      const details = { name: "ann's a", scopes: ['read', 'operate'], tenant: null, reason: 'lost' }
      const { items } = await scene.store.audit({})
      expect(items).toHaveLength(3)
      expect(items[0]).toMatchObject({ actor: 'bob', action: 'key.withdraw', target: 'a', details })
    })

    it('knows an open session by the hash of its token, and no other', async () => {
      const { store } = await open()
      const expiresAtMs = await store.openSession('t1', ofKey('a'), hour)
      expect(await store.session('t1')).toEqual({ ...ofKey('a'), expiresAtMs })
      expect(await store.session('t2')).toBeNull()
      await store.closeSession('t1')
      await store.closeSession('t1')
      expect(await store.session('t1')).toBeNull()
    })

    it('ends a session when its time is over', async () => {
      const scene = await open()
      await scene.store.openSession('t1', ofKey('a'), { ...hour, lifeMs: 0 })
      expect(await scene.store.session('t1')).toBeNull()
    })

    it('ends the oldest session of a key beyond its limit, and none of another', async () => {
      const { store } = await open()
      await store.openSession('other', ofKey('b'), hour)
      for (const token of ['t1', 't2', 't3']) await store.openSession(token, ofKey('a'), hour)
      const tokens = ['t1', 't2', 't3', 'other']
      const found = await Promise.all(tokens.map(async (token) => (await store.session(token))?.keyId))
      expect(found).toEqual([undefined, 'a', 'a', 'b'])
    })
  })
}
