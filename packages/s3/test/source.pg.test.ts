// Objects of a bucket that become events: which, how often, and what it costs to look.
import { defineApp, defineEvent, EventspineError } from 'eventspine'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { eventsOf, freshSchema, logged, running, sql, until } from '../../../test/spine.js'
import { type BucketObject, type BucketSourceOptions, bucketSource } from '../src/index.js'
import { refuse, type TestBucket, TestS3 } from './bucket.js'

const arrived = defineEvent({
  type: 'uploads.arrived',
  schema: z.object({
    ...{ bucket: z.string(), key: z.string(), etag: z.string(), sizeBytes: z.int(), modifiedAt: z.string() },
    ...{ contentType: z.string().optional(), versionId: z.string().optional() },
  }),
})

const sourceOf = (bucket: TestBucket, options: Partial<BucketSourceOptions> = {}) =>
  bucketSource({
    ...{ name: 'uploads', bucket: bucket.name, client: bucket.s3.client, lookMs: 100 },
    to: (object) => ({ event: arrived, data: object }),
    ...options,
  })

const appOf = (bucket: TestBucket, options: Partial<BucketSourceOptions> = {}) =>
  defineApp({ name: 'archive', events: [arrived], sources: [sourceOf(bucket, options)] })

type Spine = Awaited<ReturnType<typeof running>>
const objectsOf = async (spine: Spine, count: number) =>
  (await eventsOf(spine, arrived.type, count)).map(({ data }) => data as BucketObject)
const keysOf = async (spine: Spine, count: number) =>
  (await objectsOf(spine, count)).map(({ key }) => key).sort()

const ledgerOf = async (schema: string) =>
  (await sql<{ item: string }>(`SELECT item FROM ${schema}.source_item ORDER BY item`)).map(
    ({ item }) => item,
  )
const eventCount = async (schema: string) =>
  (
    await sql<{ count: number }>(
      `SELECT count(*)::int AS count FROM ${schema}.event WHERE type = 'uploads.arrived'`,
    )
  )[0]?.count
/** So many listings from now on. */
const looks = async ({ s3 }: TestBucket, count: number) => {
  const before = s3.made('list').length
  await until(() => s3.made('list').length >= before + count)
}
const keyOf = (n: number) => `in/${String(n).padStart(6, '0')}`

async function fill(bucket: TestBucket, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => bucket.put(keyOf(n), String(n))))
}

test('an object becomes one event, which says where it is and which version', async () => {
  const bucket = (await TestS3.open()).bucket()
  await bucket.put('in/report.csv', 'a,b\n1,2\n', 'text/csv')
  const spine = await running(appOf(bucket))
  const [object, ...others] = await objectsOf(spine, 1)
  expect(others).toEqual([])
  expect(object).toEqual({
    ...{ bucket: 'uploads', key: 'in/report.csv', sizeBytes: 8, contentType: 'text/csv' },
    etag: expect.stringMatching(/^[0-9a-f]{32}$/),
    modifiedAt: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
  })
})

test('an overwritten object is another event, one that stays is none, and one that goes is forgotten', async () => {
  const bucket = (await TestS3.open()).bucket()
  const schema = freshSchema()
  for (const key of ['a', 'b', 'c']) await bucket.put(key, 'one')
  const spine = await running(appOf(bucket), schema)
  expect(await keysOf(spine, 3)).toEqual(['a', 'b', 'c'])
  await bucket.put('b', 'two')
  expect(await keysOf(spine, 4)).toEqual(['a', 'b', 'b', 'c'])
  await bucket.remove('a')
  await until(async () => (await ledgerOf(schema)).join() === 'b,c')
  await bucket.put('a', 'three')
  expect(await keysOf(spine, 5)).toEqual(['a', 'a', 'b', 'b', 'c'])
  await looks(bucket, 3)
  expect(await eventCount(schema)).toBe(5)
})

test('what was taken is known to the next worker, and costs one call for each page', async () => {
  const s3 = await TestS3.open()
  s3.pageMax = 10
  const bucket = s3.bucket()
  const schema = freshSchema()
  await fill(bucket, 21)
  const first = await running(appOf(bucket), schema)
  await until(async () => (await ledgerOf(schema)).length === 21)
  await first.stop()
  expect(await eventCount(schema)).toBe(21)
  s3.calls.length = 0
  await running(appOf(bucket), schema)
  await looks(bucket, 3)
  expect(s3.made('head')).toEqual([])
  expect(
    s3
      .made('list')
      .map(({ query }) => query.get('start-after'))
      .slice(0, 3),
  ).toEqual([...[null, keyOf(9), keyOf(19)]])
})

test('once it has caught up, a look costs two calls: the next page, and what stands behind all', async () => {
  const s3 = await TestS3.open()
  s3.pageMax = 10
  const bucket = s3.bucket()
  const schema = freshSchema()
  await fill(bucket, 21)
  const spine = await running(appOf(bucket), schema)
  await until(async () => (await ledgerOf(schema)).length === 21)
  s3.calls.length = 0
  await looks(bucket, 10)
  const behind = s3.made('list').map(({ query }) => query.get('start-after') ?? '')
  const round = ['', keyOf(20), keyOf(9), keyOf(20), keyOf(19)]
  const begin = behind.indexOf('')
  expect(behind.slice(begin, begin + 5)).toEqual(round)
  // Last in the bucket, and in its middle.
  await Promise.all([bucket.put(keyOf(9_999), 'late'), bucket.put(`${keyOf(5)}-more`, 'late')])
  await until(async () => (await eventCount(schema)) === 23)
  await until(async () => (await ledgerOf(schema)).length === 23)
  expect(
    (await spine.metrics()).find(({ name }) => name === 'eventspine_source_ended_total')?.value ?? 0,
  ).toBe(0)
})

test('where far more has gone than a page holds, what is still there is neither forgotten nor taken again', async () => {
  const s3 = await TestS3.open()
  const bucket = s3.bucket()
  const schema = freshSchema()
  for (const key of ['a', 'm', 'z']) await bucket.put(key, key)
  const first = await running(appOf(bucket), schema)
  await until(async () => (await ledgerOf(schema)).length === 3)
  await first.stop()
  await sql(
    `INSERT INTO ${schema}.source_item SELECT 'uploads', 'k' || n, 'v' FROM generate_series(10000, 22000) n`,
  )
  s3.calls.length = 0
  await running(appOf(bucket), schema)
  await until(async () => (await ledgerOf(schema)).join() === 'a,m,z')
  await looks(bucket, 2)
  expect(s3.made('head')).toEqual([])
  expect(await eventCount(schema)).toBe(3)
})

test('only what begins with the prefix and matches the pattern; folders of a console are none', async () => {
  const bucket = (await TestS3.open()).bucket()
  for (const key of ['in/1.csv', 'in/2.pdf', 'out/1.csv']) await bucket.put(key, key)
  await bucket.put('in/', '')
  const spine = await running(appOf(bucket, { prefix: 'in/', pattern: /\.csv$/g }))
  await bucket.put('in/3.csv', '3')
  expect(await keysOf(spine, 2)).toEqual(['in/1.csv', 'in/3.csv'])
  await looks(bucket, 2)
  expect(await keysOf(spine, 2)).toEqual(['in/1.csv', 'in/3.csv'])
})

test('keys are as odd as their writers', async () => {
  const s3 = await TestS3.open()
  const odd = ['a b+c', '100% & <b>"it\'s"</b>', 'ü/😀', '../up', '?x=1#y', 'x'.repeat(900)]
  const buckets = odd.map((_, n) => s3.bucket(`odd-${n}`))
  for (const [n, key] of odd.entries()) await buckets[n]?.put(key, key)
  const sources = buckets.map((bucket) => sourceOf(bucket, { name: bucket.name }))
  const spine = await running(defineApp({ name: 'archive', events: [arrived], sources }))
  expect(await keysOf(spine, odd.length)).toEqual([...odd].sort())
})

test('an object stays untaken while the log is away', async () => {
  const bucket = (await TestS3.open()).bucket()
  const schema = freshSchema()
  let away = true
  let asked = 0
  await bucket.put('a', 'a')
  const spine = await running(
    appOf(bucket, {
      to(object) {
        asked++
        if (away) throw new EventspineError('UNAVAILABLE', 'away', { retryAfterMs: 50 })
        return { event: arrived, data: object }
      },
    }),
    schema,
  )
  await until(() => asked >= 5)
  expect(await ledgerOf(schema)).toEqual([])
  away = false
  expect(await objectsOf(spine, 1)).toHaveLength(1)
  await until(async () => (await ledgerOf(schema)).join() === 'a')
})

test('what cannot become an event is kept, and is not taken again', async () => {
  const bucket = (await TestS3.open()).bucket()
  const schema = freshSchema()
  await bucket.put('a', 'a')
  const spine = await running(appOf(bucket, { to: ({ key }) => ({ event: arrived, data: { key } }) }), schema)
  const [kept] = await eventsOf(spine, 'eventspine.message-kept', 1)
  const data = kept?.data as { readonly body: string } | undefined
  expect(JSON.parse(data?.body ?? '')).toMatchObject({ bucket: 'uploads', key: 'a', sizeBytes: 1 })
  await until(async () => (await ledgerOf(schema)).join() === 'a')
})

test('an object that S3 does not speak of is an event all the same, and one that fails holds back no other', async () => {
  const s3 = await TestS3.open()
  const bucket = s3.bucket()
  for (const key of ['failing', 'fine', 'refused']) await bucket.put(key, key)
  let failures = 0
  s3.door = ({ operation, key }, response) => {
    if (operation !== 'head' || key === 'fine') return 'made'
    if (key === 'refused') return refuse(response, 403, 'AccessDenied')
    return ++failures > 2 ? 'made' : refuse(response, 500, 'InternalError')
  }
  const spine = await running(appOf(bucket))
  const early = await objectsOf(spine, 2)
  expect(early.map(({ key }) => key).sort()).toEqual(['fine', 'refused'])
  expect(early.find(({ key }) => key === 'refused')).not.toHaveProperty('contentType')
  expect(await keysOf(spine, 3)).toEqual(['failing', 'fine', 'refused'])
  expect(failures).toBe(3)
})

test('an object that is overwritten between the listing and the question is taken as it is then, once', async () => {
  const s3 = await TestS3.open()
  const bucket = s3.bucket()
  const schema = freshSchema()
  await bucket.put('a', 'one')
  s3.door = async ({ operation }): Promise<'made'> => {
    if (operation === 'head' && s3.made('head').length === 0) await bucket.put('a', 'longer')
    return 'made'
  }
  const spine = await running(appOf(bucket), schema)
  expect((await objectsOf(spine, 1)).map(({ sizeBytes }) => sizeBytes)).toEqual([6])
  await looks(bucket, 3)
  expect(await eventCount(schema)).toBe(1)
})

test('versions of a bucket that keeps them are told apart', async () => {
  const s3 = await TestS3.open()
  const bucket = s3.bucket()
  await bucket.put('a', 'one')
  s3.door = ({ operation }, response) => {
    if (operation !== 'head') return 'made'
    const headers = { etag: '"abc"', 'last-modified': new Date(0).toUTCString(), 'content-length': 3 }
    response.writeHead(200, { ...headers, 'x-amz-version-id': `v${s3.made('list').length}` }).end()
    return 'not made'
  }
  const spine = await running(appOf(bucket))
  // By the listing it is another each time, and S3 gives it another version.
  const versions = (await objectsOf(spine, 2)).map(({ versionId }) => versionId)
  expect(versions.every((version) => /^v\d+$/.test(version ?? ''))).toBe(true)
  expect(new Set(versions).size).toBe(versions.length)
})

test('throttled calls are made again, and the source does not fail', async () => {
  const s3 = await TestS3.open()
  const bucket = s3.bucket()
  await bucket.put('a', 'a')
  const counts = new Map<string, number>()
  s3.door = ({ operation }, response) => {
    counts.set(operation, (counts.get(operation) ?? 0) + 1)
    return (counts.get(operation) ?? 0) > 2 ? 'made' : refuse(response, 503, 'SlowDown')
  }
  const spine = await running(appOf(bucket))
  expect(await objectsOf(spine, 1)).toHaveLength(1)
  const ended = (await spine.metrics()).find(({ name }) => name === 'eventspine_source_ended_total')
  expect(ended?.value ?? 0).toBe(0)
})

test('what a worker took before it stops is noted', async () => {
  const s3 = await TestS3.open()
  const bucket = s3.bucket()
  const schema = freshSchema()
  await fill(bucket, 40)
  let asked = 0
  // The last one does not answer: the page is not done.
  s3.door = ({ operation, key }) => {
    if (operation === 'head') asked++
    return operation === 'head' && key === keyOf(39) ? 'not made' : 'made'
  }
  const spine = await running(appOf(bucket), schema)
  await until(async () => asked === 40 && (await eventCount(schema)) === 39)
  expect(await ledgerOf(schema)).toEqual([])
  await spine.stop()
  expect(await ledgerOf(schema)).toHaveLength(39)
})

test.each([
  [
    'is not there',
    /NoSuchBucket|does not exist/,
    async (s3: TestS3) => ({ ...s3.bucket(), s3, name: 'not-there' }),
  ],
  [
    'lists in another order',
    /not in the order of UTF-8/,
    async (s3: TestS3) => {
      const bucket = s3.bucket()
      for (const key of ['a', 'B']) await bucket.put(key, key)
      return bucket
    },
  ],
])('a bucket that %s is a finding of the doctor', async (_, reason, bucketOf) => {
  const bucket = (await bucketOf(await TestS3.open())) as TestBucket
  const spine = await running(appOf(bucket))
  await until(async () => {
    const { findings } = await spine.operator().doctor()
    return findings.some(({ subject, message }) => subject === 'source uploads' && reason.test(message))
  })
  expect(logged.join()).toMatch(reason)
})

test('wrong options are refused with what to write', () => {
  const wrong = (options: object) => () =>
    bucketSource({ name: 'uploads', bucket: 'acme-uploads', to: () => null, ...options })
  expect(wrong({ bucket: 's3://acme' })).toThrow(/bucket is "s3:\/\/acme"; write the name of a bucket/)
  expect(wrong({ prefix: '/in' })).toThrow(/prefix is "\/in"; write what keys begin with/)
  expect(wrong({ pattern: '*.csv' })).toThrow(/pattern must be a regular expression/)
  expect(wrong({ lookMs: 1 })).toThrow(/lookMs is 1; write a whole number from 100/)
})
