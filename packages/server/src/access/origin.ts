// Which requests are meant for this server: its own host names (against DNS rebinding), and not another site's page.
import type { IncomingMessage } from 'node:http'
import type { ServerSettings } from '../options.js'
import { Problem } from '../problem/problem.js'

const hostForm = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/

/** Throws HOST_REFUSED when the Host header names a host that is not served here. */
export function refuseForeignHost(request: IncomingMessage, settings: ServerSettings): void {
  refuseWrongHosts(request)
  const { allowedHosts } = settings
  if (allowedHosts === undefined) return
  const name = hostForm.exec(authorityOf(request).toLowerCase())?.[1]
  if (name !== undefined && allowedHosts.includes(name)) return
  throw new Problem(
    'HOST_REFUSED',
    `The Host header must name one of: ${allowedHosts.join(', ')}. Add a further name to the server's allowedHosts.`,
    { field: '/headers/host' },
  )
}

// A target with an authority of its own (`GET http://host/path`) is meant for that one, whatever Host says (RFC 9112).
function authorityOf({ url = '', headers }: IncomingMessage): string {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? headers.host ?? ''
}

// Node keeps the first of two, a proxy in front may have judged by the second.
function refuseWrongHosts(request: IncomingMessage): void {
  const { rawHeaders } = request
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === 'host') count++
  }
  if (count === 0 && request.httpVersion === '1.1')
    throw new Problem('HTTP_MALFORMED', 'HTTP/1.1 needs a Host header. Send one.')
  if (count > 1) throw new Problem('HTTP_MALFORMED', 'The Host header stands more than once. Send it once.')
}

/** Throws ORIGIN_REFUSED when a browser sends this for the page of another site or another port. */
export function refuseCrossSite(request: IncomingMessage): void {
  const { origin, host } = request.headers
  const foreignOrigin = origin !== undefined && origin !== `http://${host}`
  if (!fromForeignSite(request) && !foreignOrigin) return
  throw new Problem(
    'ORIGIN_REFUSED',
    'A page of another origin sent this request without an API key. Send "Authorization: Bearer es_…", or call from a server.',
    { field: foreignOrigin ? '/headers/origin' : '/headers/sec-fetch-site' },
  )
}

/** Whether a page of this very address sent it, by whichever scheme the browser reached it; `mustSay`: only if it says so. */
export function isSameOrigin(request: IncomingMessage, mustSay: boolean): boolean {
  const { origin, host } = request.headers
  if (fromForeignSite(request)) return false
  if (origin === undefined) return !mustSay
  const scheme = request.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'
  return origin === `${scheme}://${host}`
}

function fromForeignSite(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site']
  return site !== undefined && site !== 'same-origin' && site !== 'none'
}
