// Claimed bodies in an S3-compatible object store: AWS, MinIO, Ceph, R2. Path-style addresses, so that any endpoint will do.
import type { ClaimPort } from '../append/port.js'
import { type Clock, EventspineError, systemClock } from '../kernel/index.js'
import { bodyGone, claimReference, isReference, referenceParts, verifiedBody } from './reference.js'
import { type Credentials, signedHeaders } from './signature.js'

export interface S3ClaimOptions {
  /** Such as `https://s3.eu-central-1.amazonaws.com` or `http://127.0.0.1:9000`. */
  readonly endpoint: string
  readonly bucket: string
  /** Default `us-east-1`, which look-alikes take. */
  readonly region?: string
  /** Before each key, such as `orders/`. Default none. */
  readonly prefix?: string
  readonly credentials: Credentials
  /** For one request. Default 10,000. */
  readonly timeoutMs?: number
  readonly clock?: Clock
}

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const prefixForm = /^([A-Za-z0-9_-]+\/)*$/
const keysPerPage = 1_000
const pagesPerCallMax = 100
const retryAfterMs = 2_000

/** Throws REQUEST_INVALID for a bucket or prefix that cannot be; everything else shows at the first request. */
export function s3Claims(options: S3ClaimOptions): ClaimPort {
  const bucket = new Bucket(options)
  return {
    async put(tenant, body) {
      const reference = claimReference(tenant, body)
      await bucket.send('PUT', keyOf(reference), body)
      return reference
    },

    async get(reference) {
      const answer = await bucket.send('GET', keyOf(reference))
      if (answer === null) throw bodyGone(reference)
      return verifiedBody(reference, answer)
    },

    // A lifecycle rule of the bucket does the same for less; its days must then exceed the retention of events.
    async expire(timeMs) {
      let removed = 0
      let after = ''
      for (let page = 0; page < pagesPerCallMax; page++) {
        const objects = await bucket.list(after)
        for (const { key, timeMs: writtenMs } of objects) {
          // What is not ours stays, whoever shares the bucket.
          if (writtenMs >= timeMs || !isReference(key)) continue
          await bucket.send('DELETE', key)
          removed++
        }
        after = objects.at(-1)?.key ?? ''
        if (objects.length < keysPerPage) break
      }
      return removed
    },
  }
}

function keyOf(reference: string): string {
  const { folder, name } = referenceParts(reference)
  return `${folder}/${name}`
}

interface ListedObject {
  /** Without the prefix. */
  readonly key: string
  readonly timeMs: number
}

class Bucket {
  readonly #options: S3ClaimOptions
  readonly #prefix: string
  readonly #clock: Clock

  constructor(options: S3ClaimOptions) {
    this.#options = options
    this.#prefix = options.prefix ?? ''
    this.#clock = options.clock ?? systemClock
    if (!bucketName.test(options.bucket))
      throw new EventspineError('REQUEST_INVALID', `"${options.bucket}" is no name of a bucket.`)
    if (!prefixForm.test(this.#prefix))
      throw new EventspineError(
        'REQUEST_INVALID',
        `The prefix "${this.#prefix}" must be words that each end in a slash.`,
      )
  }

  /** The answer's body; null when there is no such object. */
  async send(method: 'GET' | 'PUT' | 'DELETE', key: string, body = ''): Promise<string | null> {
    return this.#request(method, this.#url(`/${this.#prefix}${key}`), body)
  }

  /** Up to a page of objects behind `after`, by key. */
  async list(after: string): Promise<readonly ListedObject[]> {
    const url = this.#url('')
    url.searchParams.set('list-type', '2')
    url.searchParams.set('max-keys', String(keysPerPage))
    url.searchParams.set('prefix', this.#prefix)
    if (after !== '') url.searchParams.set('start-after', `${this.#prefix}${after}`)
    return parseObjects((await this.#request('GET', url, '')) ?? '', this.#prefix)
  }

  #url(path: string): URL {
    return new URL(`${this.#options.endpoint.replace(/\/+$/, '')}/${this.#options.bucket}${path}`)
  }

  async #request(method: string, url: URL, body: string): Promise<string | null> {
    const { region = 'us-east-1', credentials, timeoutMs = 10_000 } = this.#options
    const headers = signedHeaders({ method, url, body, region, credentials, timeMs: this.#clock.now() })
    const deadline = new AbortController()
    const cancel = this.#clock.after(timeoutMs, () => deadline.abort())
    try {
      const answer = await fetch(url, {
        method,
        headers,
        redirect: 'error',
        signal: deadline.signal,
        ...(method === 'PUT' ? { body } : {}),
      })
      const text = await answer.text()
      if (answer.status === 404 && /<Code>NoSuchKey<\/Code>/.test(text)) return null
      if (answer.ok) return text
      throw refused(method, answer.status, text)
    } catch (error) {
      if (error instanceof EventspineError) throw error
      throw new EventspineError(
        'UNAVAILABLE',
        `The object store at ${url.origin} cannot be reached. Check its endpoint, or wait until it is back.`,
        { cause: error, retryAfterMs },
      )
    } finally {
      cancel()
    }
  }
}

function refused(method: string, status: number, text: string): EventspineError {
  const code = /<Code>([A-Za-z]{1,60})<\/Code>/.exec(text)?.[1] ?? 'no code'
  return new EventspineError(
    'UNAVAILABLE',
    `The object store refused ${method} with ${status} (${code}). Check bucket, region and credentials.`,
    { retryAfterMs },
  )
}

const listed = /<Contents>.*?<Key>([^<]+)<\/Key>.*?<LastModified>([^<]+)<\/LastModified>.*?<\/Contents>/gs

function parseObjects(xml: string, prefix: string): readonly ListedObject[] {
  return [...xml.matchAll(listed)].flatMap(([, key = '', modified = '']) =>
    key.startsWith(prefix) ? [{ key: key.slice(prefix.length), timeMs: Date.parse(modified) }] : [],
  )
}
