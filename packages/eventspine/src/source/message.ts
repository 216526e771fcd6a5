// A message on its way in: as the translation sees it, and as it is kept where it could not be translated.

import { parseJson } from '../event/json/index.js'
import { unknownOptions } from '../kernel/index.js'
import type { Message, Translated, Translation } from './webhook.js'

/** Data of the event that keeps a message which could not become one. People see it, and mend `body`. */
export interface KeptMessage {
  readonly source: string
  readonly id: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly receivedAt: string
  /** Text where it is UTF-8, else base64. */
  readonly body: string
  readonly encoding: 'utf8' | 'base64'
}

/** Bodies over this become no message: they would not fit into an event. */
export const bodyBytesMax = 256 * 1024
const headerCharactersMax = 1_000
const headersMax = 64
const headersCharactersMax = 16_000
/** Those that say what a message is. Of all others nobody knows here which open doors, so none is shown or kept unless the
 *  source names it. */
const headersShown = [
  ...['content-type', 'user-agent', 'webhook-id', 'webhook-timestamp', 'x-event-type', 'x-shopify-topic'],
  ...['x-github-event', 'x-github-delivery', 'x-gitlab-event', 'x-gitlab-event-uuid'],
]

export function messageOf(
  id: string | undefined,
  headers: Message['headers'],
  body: Uint8Array,
  at: Date,
): Message {
  return { id, headers, body, at, json: () => parseJson(body) }
}

/** Of a request. `named`: those that the source wants beside those that everybody sees. */
export function shownHeaders(headers: Message['headers'], named: readonly string[]): Record<string, string> {
  const shown = [...headersShown, ...named].flatMap((name): [string, string][] => {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined
    return value === undefined ? [] : [[name, value.slice(0, headerCharactersMax)]]
  })
  return Object.fromEntries(shown)
}

/** Of a message whose source has chosen them, by lower-case name, as the log can hold them. */
export function headersOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {}
  let charactersLeft = headersCharactersMax
  let headersLeft = headersMax
  for (const given of Object.keys(headers)) {
    if (headersLeft-- === 0) break
    const name = storable(given.toLowerCase())
    const value = storable(headers[given])
    // A sender may name one as it likes, and the log takes none that changes prototypes.
    if (name === '__proto__') continue
    charactersLeft -= name.length + value.length
    if (charactersLeft < 0) break
    kept[name] = value
  }
  return kept
}

// To look costs less than to make what mostly is the same text again.
function storable(given: unknown): string {
  const text = String(given)
  if (text.length <= headerCharactersMax && !text.includes('\u0000') && text.isWellFormed()) return text
  return text.slice(0, headerCharactersMax).toWellFormed().replaceAll('\u0000', '\ufffd')
}

export function keptMessage(source: string, { id, headers, body, at }: Message): KeptMessage {
  return {
    ...{ source, id: id ?? null, headers: headers as KeptMessage['headers'], receivedAt: at.toISOString() },
    ...bodyOf(body),
  }
}

/** As it is kept: the log takes no NUL in a text, and of control characters and quotes JSON makes several each. */
export function bodyOf(body: Uint8Array): Pick<KeptMessage, 'body' | 'encoding'> {
  const text = textOf(body)
  const isPlain =
    text !== undefined &&
    !text.includes('\u0000') &&
    JSON.stringify(text).length <= (body.length * 4) / 3 + 100
  return isPlain
    ? { body: text, encoding: 'utf8' }
    : { body: Buffer.from(body).toString('base64'), encoding: 'base64' }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined for what is no UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

const translatedNames = ['event', 'data', 'options']

/** What a translation answered, each with the id under which a repeat is the same one. */
export function translatedOf(
  source: string,
  id: string | undefined,
  answer: Translation | undefined,
  traceparent?: string,
): readonly Translated[] {
  if (answer === null || answer === undefined) return []
  const all = Array.isArray(answer) ? (answer as readonly Translated[]) : [answer as Translated]
  return all.map((each, index) => {
    // An id that stands in the wrong place would be none, and a repeat a second event.
    unknownOptions(each, translatedNames, '', (message) => {
      throw new TypeError(`What "to" of source "${source}" answers is not understood: ${message}`)
    })
    // The first keeps the id, so that it is the same when a repeat becomes more of them.
    const own = id === undefined ? {} : { id: index === 0 ? id : `${id}:${index + 1}` }
    const given = Object.entries(each.options ?? {}).filter(([, value]) => value !== undefined)
    const trace = traceparent === undefined ? {} : { traceparent }
    return {
      ...each,
      options: { source: `/sources/${source}`, ...own, ...trace, ...Object.fromEntries(given) },
    }
  })
}

/** A kept message as it was received, or as a person mended it. `id` where its sender gave none. */
export function messageOfKept(kept: KeptMessage, id: string): Message {
  const body = Buffer.from(kept.body, kept.encoding)
  return messageOf(kept.id ?? id, kept.headers, body, new Date(kept.receivedAt))
}
