// Options of a file source are checked where the app is defined.
import { defineApp } from 'eventspine'
import { fileSource } from 'eventspine/source'
import { expect, test } from 'vitest'

const defined = (options: object) => () =>
  defineApp({
    name: 'files',
    sources: [fileSource({ name: 'rows', format: 'csv', to: () => null, ...options })],
  })

test.each([
  [{ keptMax: 0 }, /source "rows": keptMax is 0; write a whole number from 1 to 1,000,000/],
  [{ keptMax: Number.POSITIVE_INFINITY }, /keptMax is Infinity/],
  [{ keptMax: 1.5 }, /keptMax is 1\.5/],
  [{ delimiter: '"' }, /delimiter is "\\""; write one character that is no quote/],
  [{ format: 'tsv' }, /format is "tsv"; write "csv" or "ndjson"/],
])('a file source with %j is refused', (options, message) => {
  expect(defined(options)).toThrow(message)
})

test('a file source may keep one record, or a million', () => {
  expect(defined({ keptMax: 1 })).not.toThrow()
  expect(defined({ keptMax: 1_000_000 })).not.toThrow()
})
