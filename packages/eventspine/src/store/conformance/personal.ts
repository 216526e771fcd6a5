// Keys of persons: one for each, destroyed for good, and the events that they sealed.

import { describe, expect, it } from 'vitest'
import type { PersonalKey } from '../../personal/port.js'
import type { OpenScene } from './scene.js'

const made = (id: string, person = 'p-1', tenant = 'default') => ({
  ...{ id, person, tenant, wrapped: `wrapped ${id}`, wrappedBy: 'm1' },
})
const act = { actor: 'ann', action: 'person.erase', target: 'p-1', details: {} }

const rewrapped = { actor: 'bob', action: 'person.rewrap', target: 'm2', details: { keys: 2 } }

export function describePersonal(open: OpenScene): void {
  describePersonalMasters(open)
  describe('personal keys', () => {
    it('has one key for each person of each tenant, also where many ask at once', async () => {
      const { store } = await open()
      const keyOf = (...of: Parameters<typeof made>) => store.personKey(made(...of), ['m1', 'm2'])
      const all = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((id) => keyOf(id)))
      const [first] = all
      expect(new Set(all.map((key) => key?.id)).size).toBe(1)
      expect(first).toMatchObject({ person: 'p-1', wrappedBy: 'm1', erasedAtMs: null })
      expect((await keyOf('f', 'p-2'))?.id).toBe('f')
      expect((await keyOf('g', 'p-1', 'other'))?.id).toBe('g')
      expect(
        (await store.personalKeys([first?.id ?? '', 'f', 'unknown'])).map(({ person }) => person).sort(),
      ).toEqual(['p-1', 'p-2'])
    })

    it('destroys it, with an audit row, and makes another for who comes again (I84)', async () => {
      const { store } = await open()
      const { id } = (await store.personKey(made('a'), ['m1', 'm2'])) as PersonalKey
      expect(await store.erasePerson('default', 'p-1', act)).toBe(1)
      expect(await store.personalKeys([id])).toMatchObject([
        { id, wrapped: null, erasedAtMs: expect.any(Number) },
      ])
      expect(await store.erasePerson('default', 'p-1', act)).toBe(0)
      expect((await store.audit({})).items).toMatchObject([act])
      expect((await store.personKey(made('b'), ['m1', 'm2']))?.id).toBe('b')
      expect((await store.personKeys('default', 'p-1')).map((key) => key.id)).toEqual(['a', 'b'])
    })

    it('enciphers keys anew, and wakes none that is destroyed', async () => {
      const { store } = await open()
      for (const [id, person] of [
        ['a', 'p-1'],
        ['b', 'p-2'],
      ] as const)
        await store.personKey(made(id, person), ['m1', 'm2'])
      await store.erasePerson('default', 'p-1', act)
      expect((await store.keysWrappedOtherwise('m2', 10)).map(({ id }) => id)).toEqual(['b'])
      await store.rewrapKeys(
        ['a', 'b'].map((id) => ({ id, wrapped: `anew ${id}`, wrappedBy: 'm2' })),
        rewrapped,
      )
      expect((await store.audit({})).items[0]).toMatchObject(rewrapped)
      expect(await store.keysWrappedOtherwise('m2', 10)).toEqual([])
      const keys = await store.personalKeys(['a', 'b'])
      expect(keys.map(({ id, wrapped }) => [id, wrapped]).sort()).toEqual([
        ['a', null],
        ['b', 'anew b'],
      ])
    })

    it('finds the events of a person, page by page, and of no other tenant', async () => {
      const scene = await open()
      const sealed = (id: string, key: string, tenant = 'default') =>
        scene.event({ id, tenant, extensions: JSON.stringify({ personalkey: key }) })
      await scene.store.append([
        sealed('1', 'a'),
        scene.event({ id: '2' }),
        sealed('3', 'b'),
        sealed('4', 'c'),
      ])
      await scene.store.append([sealed('5', 'a', 'other'), sealed('6', 'a')])
      const first = await scene.store.personEvents('default', ['a', 'b'], 0, 2)
      expect(first.map(({ id }) => id)).toEqual(['1', '3'])
      const next = await scene.store.personEvents('default', ['a', 'b'], first.at(-1)?.seq ?? 0, 2)
      expect(next.map(({ id }) => id)).toEqual(['6'])
    })
  })
}

function describePersonalMasters(open: OpenScene): void {
  describe('personal keys of several masters', () => {
    it('makes none beside keys of a master that is not known', async () => {
      const { store } = await open()
      const own = await store.personKey(made('a'), ['m1'])
      expect(await store.personKey(made('b', 'p-2'), ['m0', 'm9'])).toBeNull()
      expect(await store.personKey(made('c'), ['m9'])).toEqual(own)
      expect(await store.personKey(made('d', 'p-2'), ['m9', 'm1'])).toMatchObject({ id: 'd' })
      expect(await store.erasePerson('default', 'p-1', act)).toBe(1)
      expect(await store.erasePerson('default', 'p-2', act)).toBe(1)
      // What is destroyed is nobody's.
      expect(await store.personKey(made('e', 'p-3'), ['m9'])).toMatchObject({ id: 'e' })
    })

    it('says how many keys each master enciphers, and nothing of those that are destroyed', async () => {
      const { store } = await open()
      expect(await store.personalMasters()).toEqual([])
      const keyOf = (id: string, wrappedBy: string) =>
        store.personKey({ ...made(id, `p-${id}`), wrappedBy }, ['m1', 'm2', 'm3'])
      for (const [id, by] of [...'abc'].map((each) => [each, 'm2'] as const)) await keyOf(id, by)
      await keyOf('d', 'm1')
      await keyOf('e', 'm3')
      await store.erasePerson('default', 'p-a', act)
      await store.erasePerson('default', 'p-e', act)
      expect(await store.personalMasters()).toEqual([
        { wrappedBy: 'm1', keys: 1 },
        { wrappedBy: 'm2', keys: 2 },
      ])
    })
  })
}
