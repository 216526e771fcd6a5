import { expect, test } from 'vitest'
import { changedPlaces } from './letter-edit.js'

test.each([
  [{ a: 1, b: [1, 2] }, { a: 1, b: [1, 2] }, []],
  [{ a: 1 }, { a: 2 }, ['/a']],
  [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 }, d: 4 }, ['/a/c', '/d']],
  [{ list: [1, 2, 3] }, { list: [1, 4] }, ['/list/1', '/list/2']],
  [{ 'a/b': { '~': 1 } }, { 'a/b': { '~': 2 } }, ['/a~1b/~0']],
  [{ a: [] }, { a: {} }, ['/a']],
  [null, { a: 1 }, ['']],
  ['text', 'other', ['']],
])('%j to %j changes %j', (before, after, places) => {
  expect(changedPlaces(before, after)).toEqual(places)
})

test('names no values, and at most 50 places', () => {
  const many = (value: string) => Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`f${at}`, value]))
  const places = changedPlaces(many('secret'), many('other'))
  expect(places).toHaveLength(50)
  expect(JSON.stringify(places)).not.toMatch(/secret|other/)
})
