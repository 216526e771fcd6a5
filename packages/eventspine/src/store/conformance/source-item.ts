// What sources have taken, on any store: read in the order of UTF-8 bytes, each under its newest version.
import { describe, expect, it } from 'vitest'
import type { ItemRange } from '../../source/port.js'
import type { OpenScene } from './scene.js'

const all: ItemRange = { after: '', upTo: null, prefix: '', limit: 100 }
const item = (name: string, version = 'v1') => ({ item: name, version })

export function describeSourceItem(open: OpenScene): void {
  describe('source items', () => {
    it('are read by ranges, in the order of their bytes, each source for itself', async () => {
      const { store } = await open()
      // By UTF-16 the second to last would stand behind the last; by a language, capitals beside their small letters.
      const inOrder = ['B', 'a', 'a/1', 'a/10', 'a/2', 'a0', 'b', 'é', '\uffee', '😀']
      await store.noteSourceItems(
        'bucket',
        inOrder.toReversed().map((name) => item(name)),
        [],
      )
      await store.noteSourceItems('other', [item('a/3')], [])
      const names = async (range: Partial<ItemRange>) =>
        (await store.sourceItems('bucket', { ...all, ...range })).map((each) => each.item)
      expect(await names({})).toEqual(inOrder)
      expect(await names({ limit: 2 })).toEqual(['B', 'a'])
      expect(await names({ after: 'a/1', upTo: 'b' })).toEqual(['a/10', 'a/2', 'a0', 'b'])
      expect(await names({ prefix: 'a/' })).toEqual(['a/1', 'a/10', 'a/2'])
      expect(await names({ prefix: 'a/', after: 'a/1', limit: 1 })).toEqual(['a/10'])
      expect(await store.sourceItems('none', all)).toEqual([])
    })

    it('have the version that was noted last, and are forgotten where they still have the one that is gone', async () => {
      const { store } = await open()
      await store.noteSourceItems('bucket', [item('a'), item('b'), item('c')], [])
      await store.noteSourceItems('bucket', [item('a', 'v2')], [item('b'), item('c', 'v0'), item('d')])
      expect(await store.sourceItems('bucket', all)).toEqual([item('a', 'v2'), item('c')])
      await store.noteSourceItems('bucket', [], [item('a')])
      expect(await store.sourceItems('bucket', all)).toEqual([item('a', 'v2'), item('c')])
    })
  })
}
