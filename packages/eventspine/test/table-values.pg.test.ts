// Values of every kind of column survive the way into an event: what it says, read as a value of the column's type again,
// is stored like the value in the row, to the last bit.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type ChangeRow, type Shop, session, shop } from './table-shop.js'

const text = fc.string({ unit: 'binary', maxLength: 20 }).map((each) => each.replaceAll('\0', ''))
const digits = fc
  .tuple(fc.constantFrom('', '-'), fc.bigInt(0n, 10n ** 40n), fc.integer({ min: 0, max: 20 }))
  .map(([sign, whole, scale]) => `${sign}${whole}.${'7'.repeat(scale)}`.replace(/\.$/, ''))
const numeric = fc.oneof(digits, fc.constantFrom('NaN', 'Infinity', '-Infinity', '0.000', '1e-30'))
const float = fc.oneof(
  fc.double().map((each) => (Object.is(each, -0) ? '-0' : String(each))),
  fc.constantFrom('NaN', '-Infinity', '1e300', '5e-324'),
)
const time = fc
  .tuple(
    fc.date({ min: new Date(-50_000_000_000_000), max: new Date(200_000_000_000_000), noInvalidDate: true }),
    fc.integer({ min: 0, max: 999 }),
  )
  .map(([date, us]) => date.toISOString().replace('Z', `${String(us).padStart(3, '0')}Z`))
const moment = fc.oneof(time, fc.constantFrom('infinity', '-infinity', '0044-03-15 12:00:00 BC'))
const bigint = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String)
const json = fc.oneof(
  fc.json(),
  fc.constantFrom('{"n":9007199254740993,"n": 1e400}', `${'['.repeat(200)}${']'.repeat(200)}`),
)
const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => `\\x${Buffer.from(each).toString('hex')}`)
const pick = (...of: string[]) => fc.constantFrom(...of)

const escaped = (value: string) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
const listOf = (each: fc.Arbitrary<string>) =>
  fc
    .array(fc.option(each, { freq: 4 }), { maxLength: 4 })
    .map((all) => `{${all.map((value) => (value === null ? 'NULL' : escaped(value))).join(',')}}`)

/** Of each type: a text that Postgres takes, and how the value of the event is read as one of the type. */
const types: Readonly<Record<string, readonly [type: string, fc.Arbitrary<string>, readAs?: string]>> = {
  small: ['smallint', fc.integer({ min: -32_768, max: 32_767 }).map(String)],
  whole: ['int', fc.integer().map(String)],
  big: ['bigint', bigint],
  exact: ['numeric', numeric],
  scaled: ['numeric(50,3)', digits],
  real: ['real', fc.float().map((each) => (Object.is(each, -0) ? '-0' : String(each)))],
  double: ['double precision', float],
  flag: ['boolean', pick('true', 'false')],
  words: ['text', text],
  short: ['varchar(40)', text],
  padded: ['char(12)', pick('a', ' b ', '', 'twelve chars')],
  name: ['name', pick('a', 'é')],
  raw: ['bytea', bytes, "decode($1, 'base64')"],
  unique: ['uuid', fc.uuid()],
  day: [
    'date',
    fc.oneof(
      time.map((each) => each.slice(0, 10)),
      pick('infinity', '0001-01-01 BC'),
    ),
  ],
  local: ['timestamp', moment.map((each) => each.replace('Z', ''))],
  zoned: ['timestamptz', moment],
  clock: ['time', pick('00:00:00.000001', '24:00:00')],
  clockzoned: ['timetz', pick('12:00:00+05:30', '23:59:59.5-11')],
  span: ['interval', pick('1 year -2 days', '-00:00:00.000001', '3 mons 4 days 05:06:07.8')],
  written: ['json', json],
  parsed: [
    'jsonb',
    json.filter((each) => !each.includes('\\u0000') && !/\\ud[89a-f]/i.test(each) && !each.includes('1e400')),
  ],
  host: ['inet', pick('10.0.0.1/8', '::1')],
  range: ['int8range', pick('[1,5)', 'empty', '(,9007199254740993)')],
  ranges: ['int4multirange', pick('{[1,3),[5,7)}')],
  price: ['money', pick('1234567.89', '-0.01'), '$1::numeric::money'],
  bits: ['bit varying(9)', pick('101', '')],
  mood: ['@own.mood', pick('Sad, "very"', 'ok')],
  count: ['@own.count', bigint],
  tags: ['@own.tags', listOf(text)],
  pair: ['@own.pair', pick('(1,"a b")', '(,)')],
  wholes: ['int[]', listOf(fc.integer().map(String))],
  grid: ['int[][]', pick('{{1,2},{3,4}}', '{{{1}}}', '{}')],
  bigs: ['bigint[]', listOf(bigint)],
  exacts: ['numeric[]', listOf(numeric)],
  texts: ['text[]', listOf(text)],
  paddeds: ['char(3)[]', pick('{a,NULL}')],
  moods: ['@own.mood[]', pick('{"Sad, \\"very\\"",NULL,ok}')],
  counts: ['@own.count[]', listOf(bigint)],
  raws: ['bytea[]', listOf(bytes.map((each) => each))],
  zoneds: ['timestamptz[]', listOf(time)],
  flags: ['boolean[]', pick('{t,f,NULL}')],
}

const create = `CREATE TYPE @own.mood AS ENUM ('Sad, "very"', 'ok'); CREATE DOMAIN @own.count AS bigint; CREATE DOMAIN @own.tags AS text[];
  CREATE TYPE @own.pair AS (n int, t text);
  -- Whoever owns a type can say how it is cast: none of that may run with the rights of the log.
  CREATE FUNCTION @own.stolen(@own.mood) RETURNS text LANGUAGE sql AS 'SELECT ''stolen''';
  CREATE FUNCTION @own.stolen_too(@own.mood) RETURNS json LANGUAGE sql AS 'SELECT ''["stolen"]''::json';
  CREATE CAST (@own.mood AS text) WITH FUNCTION @own.stolen(@own.mood); CREATE CAST (@own.mood AS json) WITH FUNCTION @own.stolen_too(@own.mood);
  CREATE TABLE @rows (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ${Object.entries(types)
    .map(([name, [type]]) => `"${name}" ${type}`)
    .join(', ')}, doubled bigint GENERATED ALWAYS AS ("whole"::bigint * 2) STORED)`

const columns = Object.keys(types)
const row = fc.record(
  Object.fromEntries(
    columns.map((name) => [name, fc.option(types[name]?.[1] as fc.Arbitrary<string>, { freq: 6 })]),
  ),
)

/** What the event says, as the driver hands it to Postgres. */
const handed = (value: unknown): unknown =>
  value !== null && !Array.isArray(value) && typeof value !== 'string'
    ? Object.is(value, -0)
      ? '-0'
      : String(value)
    : value

async function compare(
  { named, events }: Shop,
  client: Awaited<ReturnType<typeof session>>,
  values: Record<string, string | null>,
) {
  const holes = columns.map((name, index) => `$${index + 1}::text::${types[name]?.[0]}`).join(', ')
  const { rows: inserted } = await client.query(
    named(
      `INSERT INTO @rows (${columns.map((name) => `"${name}"`).join(', ')}) VALUES (${holes}) RETURNING id, doubled`,
    ),
    columns.map((name) => values[name]),
  )
  const event = (await events()).at(-1) as ChangeRow
  const after = event.data.after as Record<string, unknown>
  expect(after).toMatchObject({ id: inserted[0].id, doubled: inserted[0].doubled })
  expect(event.key).toBe(String(inserted[0].id))
  // To `=` blanks at its end are nothing.
  if (values['padded'] !== null) expect(after['padded']).toHaveLength(12)
  for (const name of columns) {
    const [type, , readAs = `$1::${type}`] = types[name] as [string, unknown, string?]
    const { rows } = await client.query(
      named(
        `SELECT ROW(${readAs})::record OPERATOR(pg_catalog.*=) ROW("${name}")::record AS same FROM @rows WHERE id = ${inserted[0].id}`,
      ),
      [handed(after[name])],
    )
    expect({ name, value: after[name], same: rows[0].same }).toMatchObject({ same: true })
  }
}

it('values survive', { timeout: 120_000 }, async () => {
  const made = await shop(create, { columns: ['id', ...columns, 'doubled'] })
  const client = await session()
  await client.query(`SET IntervalStyle = 'sql_standard'; SET TimeZone = 'America/St_Johns'; SET DateStyle = 'German';
    SET extra_float_digits = -5; SET bytea_output = 'escape'`)
  await fc.assert(
    fc.asyncProperty(row, (values) => compare(made, client, values)),
    { numRuns: 60 },
  )
  // What the log holds is what publish lets through: no number that JavaScript would round, no text that it cannot hold.
  for (const { data } of await made.events())
    for (const value of Object.values(data.after ?? {}))
      expect(
        ['string', 'number', 'boolean'].includes(typeof value) || value === null || Array.isArray(value),
      ).toBe(true)
})
