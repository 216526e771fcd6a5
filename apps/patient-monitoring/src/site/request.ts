// One request of a page: where it comes from, and what it says. Of a page of another site, or for another host, nothing is taken.
import type { IncomingMessage } from 'node:http'

/** Answered to the browser with this status, and this text for a person. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const bodyBytesMax = 8_192

/** Throws a Refusal of 400, 413 or 415. */
export async function jsonOf(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new Refusal(415, 'Send JSON, as application/json.')
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > bodyBytesMax) throw new Refusal(413, `Send at most ${bodyBytesMax} bytes.`)
    parts.push(part)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString())
  } catch {
    throw new Refusal(400, 'This is no JSON.')
  }
}

/** The path and what is asked of it. Throws a Refusal of 400. */
export function addressOf({ url = '' }: IncomingMessage): URL {
  // Behind a host of its own `//elsewhere/` is a path of this one.
  const address = `http://ward${url}`
  if (url.startsWith('/') && URL.canParse(address)) return new URL(address)
  throw new Refusal(400, 'The address is not written as addresses are.')
}

const loopback = ['localhost', '127.0.0.1', '[::1]']

/** A name that another site has led here must not read as if it were ours. Throws a Refusal of 421. */
export function refuseForeignHost({ headers }: IncomingMessage, hosts: readonly string[]): void {
  const name = (headers.host ?? '').toLowerCase().replace(/:\d{1,5}$/, '')
  if (loopback.includes(name) || hosts.includes(name)) return
  throw new Refusal(421, `The ward is not known as "${name}". Add it to the option hosts.`)
}

/** A change comes from a page of this very address, and says so. Throws a Refusal of 403. */
export function refuseForeignPage({ headers }: IncomingMessage): void {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  const isOwnSite = site === undefined || site === 'same-origin'
  if (isOwnSite && origin === `${isSecure(headers) ? 'https' : 'http'}://${host}`) return
  throw new Refusal(
    403,
    'A page of another address sent this. Behind a proxy, pass on Host and X-Forwarded-Proto.',
  )
}

/** The browser speaks HTTPS with a proxy in front. Who lies about it only harms their own cookie. */
export const isSecure = (headers: IncomingMessage['headers']) => headers['x-forwarded-proto'] === 'https'
