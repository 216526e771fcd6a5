// Imports on any store: the place in the file and the events are written together, by one at a time.
import { describe, expect, it } from 'vitest'
import { idsOf, type OpenScene } from './scene.js'

const start = { id: 'orders:abc', source: 'orders', file: 'orders.csv', sizeBytes: 1_000 }
const at = (offsetBytes: number, completed = false) => ({
  ...{ offsetBytes, completed, lines: offsetBytes / 10, records: offsetBytes / 10 },
  ...{ published: 3, known: 4, kept: 2 },
})

export function describeImport(open: OpenScene): void {
  describe('import', () => {
    it('begins once, and is found again as it stands', async () => {
      const { store } = await open()
      const begun = await store.openImport(start)
      expect(begun).toMatchObject({
        ...start,
        state: 'running',
        offsetBytes: 0,
        lines: 0,
        published: 0,
        known: 0,
        endedAtMs: null,
      })
      expect(await store.openImport({ ...start, file: 'renamed.csv' })).toEqual(begun)
      expect(await store.imports()).toEqual([begun])
    })

    it('moves on together with its events, from where it stands alone', async () => {
      const scene = await open()
      await scene.store.openImport(start)
      const [first, second, third] = [scene.event(), scene.event(), scene.event()]
      expect(await scene.store.advanceImport(start.id, 0, at(100), [first])).toEqual(['stored'])
      expect(await scene.store.advanceImport(start.id, 0, at(200), [second])).toBeNull()
      expect(await scene.store.advanceImport('unknown', 0, at(100), [second])).toBeNull()
      const { completed: _, ...standing } = at(100)
      expect(await scene.store.openImport(start)).toMatchObject({ ...standing, state: 'running' })
      expect(await scene.store.advanceImport(start.id, 100, at(1_000, true), [third])).toEqual(['stored'])
      expect(await scene.store.advanceImport(start.id, 1_000, at(1_000, true), [second])).toBeNull()
      expect(idsOf(await scene.log())).toEqual(idsOf([first, third]))
      expect(await scene.store.openImport(start)).toMatchObject({
        ...{ state: 'completed', offsetBytes: 1_000, endedAtMs: expect.any(Number) },
      })
    })

    it('is moved on by one of two', async () => {
      const scene = await open()
      await scene.store.openImport(start)
      const [first, second] = [scene.event(), scene.event()]
      const moved = await Promise.all([
        scene.store.advanceImport(start.id, 0, at(100), [first]),
        scene.store.advanceImport(start.id, 0, at(100), [second]),
      ])
      expect(moved.filter(Boolean)).toHaveLength(1)
      expect(idsOf(await scene.log())).toEqual(idsOf([moved[0] === null ? second : first]))
    })

    it('knows ids that were given before, and writes nothing where one belongs to another body', async () => {
      const scene = await open()
      await scene.store.openImport(start)
      const given = { ...scene.event(), fingerprint: 'body' }
      await scene.store.append([given])
      const other = { ...given, fingerprint: 'another' }
      expect(await scene.store.advanceImport(start.id, 0, at(100), [scene.event(), other])).toEqual([
        ...['stored', 'conflict'],
      ])
      expect(await scene.store.openImport(start)).toMatchObject({ offsetBytes: 0 })
      const fresh = scene.event()
      expect(await scene.store.advanceImport(start.id, 0, at(100), [given, fresh])).toEqual([
        'duplicate',
        'stored',
      ])
      expect(idsOf(await scene.log())).toEqual(idsOf([given, fresh]))
      // One of the three was known.
      expect(await scene.store.openImport(start)).toMatchObject({ published: 2, known: 5, kept: 2 })
    })
  })
}
