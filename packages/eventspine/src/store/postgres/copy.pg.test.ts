import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import { CopyRows } from './copy.js'
import { lifecycleStatements } from './lifecycle.js'

let own: OwnSchema
beforeAll(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
  await own.sql('CREATE TABLE eventspine.copied (number int, at timestamptz, one text, two text)')
})
afterAll(() => own.drop())

interface Row {
  readonly number: number
  readonly atMs: number
  readonly one: string | null
  readonly two: string | null
}

function bytesOf(rows: readonly Row[]): CopyRows {
  const copy = new CopyRows()
  for (const { number, atMs, one, two } of rows) {
    copy.beginRow(4)
    copy.int4(number)
    copy.timestamptz(atMs)
    copy.text(one)
    copy.text(two)
  }
  return copy
}

const copied = (bytes: Buffer) =>
  own.database.copy('append', 'test.copy', 'COPY eventspine.copied FROM STDIN WITH (FORMAT binary)', bytes)

const stored = () =>
  own.sql(`SELECT number, round(extract(epoch FROM at) * 1000000)::text AS us, one, two
    FROM eventspine.copied ORDER BY number`)

const text = fc.option(fc.string({ unit: 'binary', maxLength: 60 }).map((each) => each.replaceAll('\0', '')))
const atMs = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31) })

test('what was written is what is read: times before and after 2000, every character, null', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ atMs, one: text, two: text }), { maxLength: 50 }),
      async (parts) => {
        await own.sql('TRUNCATE eventspine.copied')
        const rows = parts.map((part, number) => ({ ...part, number }))
        const copy = bytesOf(rows)
        await copied(copy.end())
        copy.release()
        expect(await stored()).toEqual(
          rows.map(({ number, atMs, one, two }) => ({ number, us: String(BigInt(atMs) * 1000n), one, two })),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test('grows with its rows, and what it reuses holds nothing of the batch before', async () => {
  for (const length of [3_000_000, 10, 200_000]) {
    await own.sql('TRUNCATE eventspine.copied')
    const one = '€'.repeat(length)
    const copy = bytesOf([
      { number: 1, atMs: 0, one, two: null },
      { number: 2, atMs: 1, one: '', two: one },
    ])
    await copied(copy.end())
    copy.release()
    expect(await stored()).toEqual([
      { number: 1, us: '0', one, two: null },
      { number: 2, us: '1000', one: '', two: one },
    ])
  }
})

test('rows that the table refuses leave nothing, and the connection goes on', async () => {
  await own.sql('TRUNCATE eventspine.copied')
  const bad = bytesOf([
    { number: 1, atMs: 0, one: 'fine', two: null },
    { number: 2, atMs: 0, one: 'with a \0 inside', two: null },
  ])
  await expect(copied(bad.end())).rejects.toMatchObject({ code: '22021' })
  const missing = 'COPY eventspine.nowhere FROM STDIN WITH (FORMAT binary)'
  await expect(own.database.copy('append', 'test.copy', missing, bad.end())).rejects.toMatchObject({
    code: '42P01',
  })
  expect(await stored()).toEqual([])
  await copied(bytesOf([{ number: 3, atMs: 0, one: 'after', two: null }]).end())
  expect(await stored()).toEqual([{ number: 3, us: '0', one: 'after', two: null }])
})
