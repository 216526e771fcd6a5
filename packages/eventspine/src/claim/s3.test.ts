import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { s3Claims } from './index.js'
import { signedHeaders } from './signature.js'

// From "Authenticating Requests: Using the Authorization Header" of the Amazon S3 API reference.
describe('the signature of the published examples', () => {
  const example = (method: string, address: string, headers: Record<string, string>, body = '') =>
    signedHeaders({
      method,
      url: new URL(address, 'https://examplebucket.s3.amazonaws.com'),
      headers,
      body,
      region: 'us-east-1',
      credentials: {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      },
      timeMs: Date.parse('2013-05-24T00:00:00Z'),
    })

  test.each([
    [
      'GET',
      '/test.txt',
      { range: 'bytes=0-9' },
      '',
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT',
      '/test%24file.text',
      { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      'Welcome to Amazon S3.',
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    ['GET', '/?lifecycle', {}, '', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    [
      'GET',
      '/?max-keys=2&prefix=J',
      {},
      '',
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])('%s %s', (method, address, headers, body, signature) => {
    expect(example(method, address, headers, body).authorization).toMatch(
      new RegExp(`Signature=${signature}$`),
    )
  })

  test('the first of them whole', () => {
    expect(example('GET', '/test.txt', { range: 'bytes=0-9' })).toEqual({
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      range: 'bytes=0-9',
      'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'x-amz-date': '20130524T000000Z',
    })
  })
})

const secret = 'a secret/with+signs'
const objects = new Map<string, { body: string; time: Date }>()
let failWith: number | undefined
let server: Server
let endpoint: string

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  objects.clear()
  failWith = undefined
})

// As little of S3 as this needs, with the signature checked as the description says, from what came over the wire.
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request)
  const url = new URL(request.url ?? '', endpoint)
  const fail = (status: number, code: string) =>
    response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`)
  if (failWith !== undefined) return void fail(failWith, 'SlowDown')
  if (!isSigned(request, url, body)) return void fail(403, 'SignatureDoesNotMatch')
  const key = decodeURIComponent(url.pathname).replace(/^\/bodies\/?/, '')
  if (request.method === 'PUT') objects.set(key, { body, time: new Date() })
  if (request.method === 'DELETE') objects.delete(key)
  if (request.method !== 'GET') return void response.writeHead(200).end()
  if (key === '') return void response.writeHead(200).end(listing(url))
  const object = objects.get(key)
  if (object === undefined) return void fail(404, 'NoSuchKey')
  response.writeHead(200).end(object.body)
}

function isSigned(request: IncomingMessage, url: URL, body: string): boolean {
  const [, key, day, region, names = '', signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request,\s?SignedHeaders=([^,]+),\s?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    ) ?? []
  const hash = (input: string) => createHash('sha256').update(input).digest('hex')
  if (key !== 'key-1' || request.headers['x-amz-content-sha256'] !== hash(body)) return false
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) => names.split(';').includes(name)))
    return false
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const headers = names
    .split(';')
    .map((name) => `${name}:${request.headers[name]}\n`)
    .join('')
  const canonical = [
    request.method,
    path,
    query.split('&').sort().join('&'),
    headers,
    names,
    hash(body),
  ].join('\n')
  const time = String(request.headers['x-amz-date'])
  const toSign = ['AWS4-HMAC-SHA256', time, `${day}/${region}/s3/aws4_request`, hash(canonical)].join('\n')
  const hmac = (secretKey: string | Buffer, input: string) =>
    createHmac('sha256', secretKey).update(input).digest()
  const signing = hmac(hmac(hmac(hmac(`AWS4${secret}`, day ?? ''), region ?? ''), 's3'), 'aws4_request')
  return (
    time.startsWith(day ?? '-') &&
    url.host === request.headers.host &&
    hmac(signing, toSign).toString('hex') === signature
  )
}

function listing(url: URL): string {
  const [prefix, after] = [url.searchParams.get('prefix') ?? '', url.searchParams.get('start-after') ?? '']
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort()
    .slice(0, Number(url.searchParams.get('max-keys')))
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${key}</Key>\n<LastModified>${objects.get(key)?.time.toISOString()}</LastModified><Size>1</Size></Contents>`,
  )
  return `<?xml version="1.0"?><ListBucketResult>${contents.join('')}</ListBucketResult>`
}

const claims = (options: Partial<Parameters<typeof s3Claims>[0]> = {}) =>
  s3Claims({
    endpoint,
    bucket: 'bodies',
    credentials: { accessKeyId: 'key-1', secretAccessKey: secret },
    ...options,
  })
const body = JSON.stringify({ large: '€'.repeat(50_000) })

test('a body comes back as it was', async () => {
  const store = claims({
    prefix: 'orders/large/',
    credentials: { accessKeyId: 'key-1', secretAccessKey: secret, sessionToken: 'token' },
  })
  const reference = await store.put('a', body)
  expect(await store.put('a', body)).toBe(reference)
  expect([...objects.keys()]).toEqual([`orders/large/${reference}`])
  expect(await store.get(reference)).toBe(body)
})

test('one that is gone, changed or never was is NOT_FOUND', async () => {
  const store = claims()
  const reference = await store.put('a', body)
  objects.set(reference, { body: `${body} `, time: new Date() })
  await expect(store.get(reference)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  objects.clear()
  await expect(store.get(reference)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(store.get('../other-bucket/secret')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a wrong secret, a busy store and one that is away can be told apart from a missing body', async () => {
  const wrong = claims({ credentials: { accessKeyId: 'key-1', secretAccessKey: 'wrong' } })
  await expect(wrong.put('a', body)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('403 (SignatureDoesNotMatch)'),
  })
  failWith = 503
  await expect(claims().put('a', body)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 2_000 })
  await expect(claims({ endpoint: 'http://127.0.0.1:1' }).put('a', body)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
})

test('old bodies expire over many pages; what is not ours stays', async () => {
  const store = claims({ prefix: 'p/' })
  const young = await store.put('a', body)
  const old = new Date(Date.now() - 7_200_000)
  for (let index = 0; index < 2_100; index++) {
    const name = createHash('sha256').update(String(index)).digest('hex')
    objects.set(`p/${name.slice(0, 32)}/${name}`, { body: '', time: old })
  }
  objects.set('p/readme.txt', { body: '', time: old })
  objects.set('elsewhere', { body: '', time: old })
  expect(await store.expire(Date.now() - 3_600_000)).toBe(2_100)
  expect([...objects.keys()].sort()).toEqual(['elsewhere', `p/${young}`, 'p/readme.txt'].sort())
})

test('a bucket or prefix that cannot be is refused at once', () => {
  expect(() => claims({ bucket: '../x' })).toThrow('no name of a bucket')
  expect(() => claims({ prefix: '../' })).toThrow('prefix')
})
