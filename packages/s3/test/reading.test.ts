// Opening what an event refers to: all of it, in ranges, from any byte, and no other version than the one that the event says.
import { PermanentError, TimeoutError, TransientError } from 'eventspine'
import { expect, test } from 'vitest'
import { type BucketObject, objectFile, openObject } from '../src/index.js'
import { refuse, type TestBucket, TestS3 } from './bucket.js'

const large = Buffer.alloc(9 * 1024 * 1024, 'The quick brown fox jumps over the lazy dog. ')

async function put(bucket: TestBucket, key: string, body: string | Buffer): Promise<BucketObject> {
  const etag = await bucket.put(key, body)
  return {
    ...{ bucket: bucket.name, key, etag, sizeBytes: Buffer.byteLength(body) },
    modifiedAt: '2026-01-31T12:00:00.000Z',
  }
}

async function bytesOf(chunks: AsyncIterable<unknown>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const chunk of chunks) all.push(chunk as Buffer)
  return Buffer.concat(all)
}

const opened = async () => {
  const s3 = await TestS3.open()
  return { s3, bucket: s3.bucket() }
}

test('its content comes in ranges, from any byte on', async () => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'large', large)
  const stream = await openObject(s3.client, object)
  expect((await bytesOf(stream)).equals(large)).toBe(true)
  expect(s3.made('get').map(({ headers }) => headers['range'])).toEqual([
    ...['bytes=0-4194303', 'bytes=4194304-8388607', 'bytes=8388608-9437183'],
  ])
  const end = await openObject(s3.client, object, { fromBytes: large.length - 10 })
  expect(await bytesOf(end)).toEqual(large.subarray(-10))
  expect(await bytesOf(objectFile(s3.client, object).read(large.length))).toHaveLength(0)
})

test('an empty object is a stream without content, and has to be there', async () => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'empty', '')
  expect(await bytesOf(await openObject(s3.client, object))).toHaveLength(0)
  await bucket.remove('empty')
  await expect(openObject(s3.client, object)).rejects.toThrow(PermanentError)
})

test('another version is refused, also where it comes in the middle', async () => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'a', large)
  const stream = await openObject(s3.client, object)
  await bucket.put('a', large.toReversed() as Buffer)
  // Its length alone: nine million bytes are not to be printed where it fails.
  const length = bytesOf(stream).then((bytes) => bytes.length)
  await expect(length).rejects.toThrow(/s3:\/\/uploads\/a was overwritten/)
  await expect(openObject(s3.client, object)).rejects.toThrow(PermanentError)
  await bucket.remove('a')
  await expect(openObject(s3.client, object)).rejects.toThrow(/s3:\/\/uploads\/a is gone/)
})

test('of a bucket with versions, the one of the event is asked for', async () => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'a', 'abc')
  await bytesOf(await openObject(s3.client, { ...object, versionId: 'v1' }))
  const [call] = s3.made('get')
  expect(call?.query.get('versionId')).toBe('v1')
  expect(call?.headers['if-match']).toBe(`"${object.etag}"`)
})

test('an answer that breaks off is asked for again, from where the range begins', async () => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'a', large)
  let broken = 0
  s3.door = ({ operation }, response) => {
    if (operation !== 'get' || s3.made('get').length !== 1 || ++broken > 2) return 'made'
    response.writeHead(206, { 'content-length': 4 * 1024 * 1024 })
    response.write('half of', () => response.destroy())
    return 'not made'
  }
  expect((await bytesOf(await openObject(s3.client, object))).equals(large)).toBe(true)
  expect(broken).toBe(3)
  s3.door = (_call, response) => {
    response.destroy()
    return 'not made'
  }
  await expect(openObject(s3.client, object)).rejects.toThrow(TimeoutError)
})

test('bytes that are missing without a word are no content', async () => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'a', 'abcdef')
  s3.door = (_call, response) => {
    response.writeHead(206, { 'content-length': 3 }).end('abc')
    return 'not made'
  }
  await expect(openObject(s3.client, object)).rejects.toThrow(/3 bytes came where 6 were asked for/)
})

test.each([
  ['AccessDenied', 403, PermanentError],
  ['InvalidObjectState', 403, PermanentError],
  ['NoSuchBucket', 404, PermanentError],
  ['SlowDown', 503, TransientError],
  ['InternalError', 500, TransientError],
  ['ExpiredToken', 400, TransientError],
])('%s is told by its category, and asked for once', async (code, status, category) => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'a', 'abc')
  let asked = 0
  s3.door = (_call, response) => {
    asked++
    return refuse(response, status, code)
  }
  await expect(openObject(s3.client, object)).rejects.toThrow(category)
  expect(asked).toBe(1)
})

test('a handler whose time is over does not wait for S3', async () => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'a', 'abc')
  const over = new AbortController()
  s3.door = () => {
    over.abort()
    return 'not made'
  }
  await expect(openObject(s3.client, object, { signal: over.signal })).rejects.toThrow(TimeoutError)
})

test('the same content under a key is one import, another is another', async () => {
  const { s3, bucket } = await opened()
  const object = await put(bucket, 'in/report.csv', 'a\n1\n')
  const file = objectFile(s3.client, object)
  expect([file.name, file.sizeBytes]).toEqual(['report.csv', 4])
  const hashes = await Promise.all(
    [object, { ...object, modifiedAt: '' }, { ...object, etag: 'b' }, { ...object, key: 'c' }].map((each) =>
      objectFile(s3.client, each).hash(),
    ),
  )
  expect(new Set(hashes).size).toBe(3)
  expect(s3.made('get')).toEqual([])
})
