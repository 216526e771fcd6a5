// The console under /console/: its page and its files, and what stands there while it is being built.
import { createHash } from 'node:crypto'
import type { ConsoleFile, ConsoleFiles } from '../console/files.js'
import { Problem } from '../problem/problem.js'
import type { Answer, Incoming } from '../route/route.js'
import { html } from './html.js'

/** Scripts, styles and requests of this origin alone; nothing inline, no frame around it. */
export const consolePolicy = `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1rem;color:#1b2330;background:#fbfbfa}
h1{font-size:1.25rem}p{white-space:pre-wrap;overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){body{color:#e4e7ec;background:#12161c}}`
const styleHash = createHash('sha256').update(style).digest('base64')
const missingPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const year = 'public, max-age=31536000, immutable'
const lookAgainMs = 1_000

/** The page, whichever part of the console its address names. Throws ROUTE_UNKNOWN when
 *  there is no console, UNAVAILABLE while it is being built. */
export function consolePage(incoming: Incoming): Answer {
  const files = filesOf(incoming)
  const index = files.file('index.html')
  if (index === undefined) throw notThere(files)
  return fileAnswer(incoming, index, {
    'cache-control': 'no-cache',
    'content-security-policy': consolePolicy,
  })
}

/** A file whose name holds the hash of its content. Throws NOT_FOUND. */
export function consoleAsset(incoming: Incoming, name: string): Answer {
  const file = filesOf(incoming).file(`assets/${name}`)
  if (file === undefined) {
    throw new Problem('NOT_FOUND', 'The console has no such file. Load its page again: it was built anew.')
  }
  return fileAnswer(incoming, file, { 'cache-control': year })
}

function filesOf({ console }: Incoming): ConsoleFiles {
  if (console !== undefined) return console
  throw new Problem(
    'ROUTE_UNKNOWN',
    'This server was started without the console. Give it the option console: createConsole(), from @eventspine/console.',
  )
}

function fileAnswer(
  { request }: Incoming,
  { contentType, bytes, gzipped }: ConsoleFile,
  headers: Readonly<Record<string, string>>,
): Answer {
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  return {
    contentType,
    body: takesGzip ? gzipped : bytes,
    headers: { ...headers, vary: 'accept-encoding', ...(takesGzip && { 'content-encoding': 'gzip' }) },
  }
}

/** What a person reads where the console is not there, or not yet. */
export function consoleMissing({ status, message, headers }: Problem): Answer {
  const looksAgain = headers['retry-after'] !== undefined
  const title = looksAgain ? 'The console is being built' : 'There is no console here'
  const refresh = looksAgain ? `<meta http-equiv="refresh" content="${lookAgainMs / 1_000}">` : ''
  return {
    status,
    contentType: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': missingPolicy },
    body: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">${refresh}
<title>${title}</title><style>${style}</style></head><body><main><h1>${title}</h1>${html`<p>${message}</p>`}</main></body></html>
`,
  }
}

function notThere({ failure }: ConsoleFiles): Problem {
  if (failure !== undefined)
    return new Problem('UNAVAILABLE', `It could not be built. The API serves. The build said: ${failure}`)
  return new Problem(
    'UNAVAILABLE',
    'This is done once and takes a few seconds. The API serves already. In a browser this page looks again by itself.',
    { retryAfterMs: lookAgainMs },
  )
}
