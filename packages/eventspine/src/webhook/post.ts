// One message to one judged place: no second look-up, no redirect, no proxy, and a bound on all that comes back.
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { TimeoutError } from '../handle/index.js'
import type { Clock } from '../kernel/index.js'
import { type Address, type NetworkOptions, type Resolve, type Target, targetOf } from './target.js'

export interface Posting {
  readonly url: URL
  readonly network: NetworkOptions
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** From the start to the status line. */
  readonly answerMsMax: number
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly location: string | undefined
  /** What was read of it. */
  readonly body: string
}

/** Rejects where no status came, and with TargetRefused where nothing may be sent. */
export type Post = (posting: Posting) => Promise<Answer>

const bodyBytesMax = 64 * 1024
const bodyMsMax = 10_000
const headerBytesMax = 16 * 1024
/** For each address of several. Node gives each but the last a quarter of a second, which the other side of the world takes. */
const attemptMs = 2_500

/** A connection of its own for each: one that is kept would be to whatever the name stood for when it was opened. */
export function poster(clock: Clock, resolve?: Resolve): Post {
  return async (posting) => {
    const target = await targetOf(posting.url.href, posting.network, resolve)
    const response = await statusOf(target, posting, clock)
    const { statusCode = 0, headers } = response
    // The status decides, whatever becomes of the rest.
    const body = await bodyOf(response, clock)
    return { status: statusCode, retryAfter: headers['retry-after'], location: headers.location, body }
  }
}

function statusOf(
  { url, addresses }: Target,
  { network: { ca }, headers, body, answerMsMax, signal }: Posting,
  clock: Clock,
) {
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  const connecting = { lookup: pinned(addresses), autoSelectFamilyAttemptTimeout: attemptMs }
  return new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      agent: false,
      ...connecting,
      maxHeaderSize: headerBytesMax,
      // Whatever the environment of the process says.
      rejectUnauthorized: true,
      headers: { ...headers, 'content-length': body.length },
      signal,
      ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
    })
    const cancel = clock.after(answerMsMax, () =>
      request.destroy(new TimeoutError(`no answer came within ${answerMsMax} ms`)),
    )
    // For as long as it lives: an error that nobody hears ends the process.
    request.on('error', (error) => {
      cancel()
      reject(error)
    })
    // A switch of protocols is no answer, and no error either.
    request.once('close', () => reject(new Error('the connection was closed without an answer')))
    request.once('response', (response) => {
      cancel()
      resolve(response)
    })
    request.end(body)
  })
}

/** Answers what was judged, whatever it is asked. */
function pinned(addresses: readonly Address[]): LookupFunction {
  return (_host, options, done) => {
    const [first] = addresses
    if (options.all) done(null, [...addresses])
    else done(null, first?.address ?? '', first?.family)
  }
}

/** The beginning of it: what is larger or slower is cut off. */
function bodyOf(response: IncomingMessage, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const cancel = clock.after(bodyMsMax, () => response.destroy())
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, Math.max(0, bodyBytesMax - bytes)))
      bytes += chunk.length
      if (bytes >= bodyBytesMax) response.destroy()
    })
    response.on('error', () => {})
    response.once('close', () => {
      cancel()
      resolve(Buffer.concat(chunks).toString())
    })
  })
}
