// The page at `/`: what this is and what to try. Plain HTML without scripts. Where there is a console, browsers are led there.
import { createHash } from 'node:crypto'
import type { AnyEventDefinition, Eventspine } from 'eventspine'
import { type Answer, type Incoming, takesHtml } from '../route/route.js'
import { html } from './html.js'

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1d2430;background:#fff}
h1{margin-bottom:0}code,pre{font:14px/1.5 ui-monospace,monospace;background:#f2f4f7;border-radius:4px}
code{padding:.1em .3em}pre{padding:.8em;overflow-x:auto}a{color:#0b57a4}
@media (prefers-color-scheme:dark){body{color:#e3e7ee;background:#14181f}code,pre{background:#222935}a{color:#7ab8ff}}`

const styleHash = createHash('sha256').update(style).digest('base64')

/** Allows this page's one style sheet, and nothing else. */
export const welcomePolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const links: readonly (readonly [string, string])[] = [
  ['/v1/events', 'events'],
  ['/v1/subscriptions', 'subscriptions'],
  ['/v1/dead-letters/groups', 'dead letters, grouped'],
  ['/v1/redrives', 'redrives'],
  ['/v1/workers', 'workers'],
  ['/v1/breakers', 'breakers'],
  ['/v1/doctor', 'doctor: is everything well?'],
  ['/metrics', 'metrics'],
  ['/openapi.json', 'the whole API (OpenAPI 3.1)'],
]

export function welcomePage(incoming: Incoming): Answer {
  if (incoming.console !== undefined && takesHtml(incoming.request)) {
    return {
      status: 302,
      headers: { location: '/console/', vary: 'accept' },
      body: '',
      contentType: 'text/html',
    }
  }
  return {
    body: document(incoming),
    contentType: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': welcomePolicy },
  }
}

function document({ spine, settings, request }: Incoming): string {
  // Off loopback anyone may see this page, and the app's names are nobody's business.
  const named = settings.loopback ? spine : undefined
  const base = `http://${request.headers.host ?? `${settings.host}:${settings.port}`}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Eventspine</title><style>${style}</style></head><body>
<h1>Eventspine</h1>
<p>The event table at the centre of your system: events are stored once, given to every subscription on its own, and what
fails is kept, shown, and sent again.${named === undefined ? '' : html` This is the app <strong>${named.app.name}</strong>.`}</p>
${named === undefined ? '' : eventList(named)}
<h2>Look</h2>
<ul>${links.map(([url, name]) => html`<li><a href="${url}">${name}</a></li>`).join('')}</ul>
<h2>Try</h2>
<pre>${tries(base, named?.app.events[0], settings.development)}</pre>
</body></html>
`
}

function eventList(spine: Eventspine): string {
  const items = spine.app.events.map(
    ({ type, version, description }) =>
      html`<li><code>${type}</code> version ${version}${description === undefined ? '' : `: ${description}`}</li>`,
  )
  return `<h2>Events</h2><ul>${items.join('')}</ul>`
}

function tries(base: string, event: AnyEventDefinition | undefined, development: boolean): string {
  const key = development ? '' : ` -H 'authorization: Bearer es_…'`
  const type = event?.type ?? 'orders.order-placed'
  return html`# publish an event; a wrong one is refused with what to write instead
curl -i ${base}/v1/events${key} -H 'content-type: application/json' \\
  -d '{"type":"${type}","data":{}}'

# follow events as they come
curl -N ${base}/v1/events/tail${key}

# what matched, completed, waits, died
curl ${base}/v1/subscriptions${key}

# send the dead letters again (needs a key with the scope operate)
curl ${base}/v1/redrives -H 'authorization: Bearer es_…' \\
  -H 'content-type: application/json' -d '{"filter":{"category":"transient"}}'`
}
