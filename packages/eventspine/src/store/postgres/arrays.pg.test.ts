// Binary arrays are those that the driver would have written as texts.
import pg from 'pg'
import { expect, test } from 'vitest'
import { databaseUrl } from '../../../test/support.js'
import { boolArray, float8Array, int4Array, textArray } from './arrays.js'

const texts = ['', 'plain', null, 'NULL', '{"a":[1,"\\"]}', 'ä€𝄞', 'a\nb\t', `long ${'x'.repeat(70_000)}`]
const cases: readonly [type: string, values: readonly unknown[], binary: Buffer | readonly unknown[]][] = [
  ['text', texts, textArray(texts)],
  ['text', ['one'], textArray(['one'])],
  ['text', [null, null], textArray([null, null])],
  ['text', [], textArray([])],
  ['int4', [0, 1, -1, 2 ** 31 - 1], int4Array([0, 1, -1, 2 ** 31 - 1])],
  ['float8', [0, -0.5, 1_795_999_999_999.25, 1e300], float8Array([0, -0.5, 1_795_999_999_999.25, 1e300])],
  ['bool', [true, false], boolArray([true, false])],
]

test('arrays of each type arrive as they were, with empty texts, nulls and any letter', async () => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    for (const [type, values, binary] of cases) {
      const { rows } = await client.query(
        `SELECT $1::${type}[] IS NOT DISTINCT FROM $2::${type}[] AS same, array_to_json($1::${type}[]) AS read,
           (SELECT count(*)::int FROM unnest($1::${type}[])) AS elements`,
        [binary, values],
      )
      expect(rows).toEqual([{ same: true, read: values, elements: values.length }])
    }
  } finally {
    await client.end()
  }
})
