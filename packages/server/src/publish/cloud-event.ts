// CloudEvents 1.0 attributes, from whichever form they came in, as an event of the library.
// Source: CloudEvents 1.0.2, JSON format and HTTP protocol binding.
import type { IncomingEvent } from 'eventspine'
import { JsonError, parseJson } from 'eventspine/ingress'
import { type Issue, Problem } from '../problem/problem.js'
import { isJson, mediaType, unsupported } from './content-type.js'
import { type EventDraft, libraryNames, malformed, timeOf, typeCharactersMax } from './incoming.js'

/** Attribute values by name, `data` among them. Null is as good as absent (JSON format, 2.2), but for `data`. */
export type Attributes = ReadonlyMap<string, unknown>

const required = ['specversion', 'id', 'source', 'type'] as const
const plainTexts = ['id', 'source', 'type', 'subject', 'tenant', 'traceparent'] as const
const renamedTexts = Object.entries(libraryNames)
const kept = new Set<string>([
  ...required,
  ...plainTexts,
  ...Object.keys(libraryNames),
  'time',
  'version',
  'datacontenttype',
  'data',
  'data_base64',
])
const base64Form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const nameForm = /^[a-z0-9]{1,40}$/
const versionForm = /^[1-9]\d{0,8}$/

/** Throws CLOUDEVENT_INVALID with every fault, or CONTENT_TYPE_UNSUPPORTED for data that is not JSON. */
export function cloudEvent(attributes: Attributes, at: string): IncomingEvent {
  refuseOtherData(attributes, at)
  const data = dataOf(attributes, at)
  const issues: Issue[] = []
  const report = (name: string, message: string) => issues.push({ field: `${at}/${name}`, message })
  for (const name of required) {
    if (valueOf(attributes, name) === undefined)
      report(name, `is required by CloudEvents; ${adviceFor(name)}`)
  }
  const version = valueOf(attributes, 'specversion')
  if (version !== undefined && version !== '1.0') report('specversion', 'must be the text "1.0"')
  const draft: Partial<EventDraft> = { data }
  readTexts(attributes, draft, report)
  if ((draft.type?.length ?? 0) > typeCharactersMax)
    report('type', `has more than ${typeCharactersMax} characters`)
  readTime(attributes, draft, report)
  readVersion(attributes, draft, report)
  draft.extensions = extensionsOf(attributes, report)
  if (issues.length > 0) throw malformed('CLOUDEVENT_INVALID', issues)
  return draft as IncomingEvent
}

type Report = (name: string, message: string) => void

function readTexts(attributes: Attributes, draft: Partial<EventDraft>, report: Report): void {
  const pairs = [...plainTexts.map((name) => [name, name] as const), ...renamedTexts]
  for (const [name, target] of pairs) {
    const value = valueOf(attributes, name)
    if (value === undefined) continue
    if (typeof value === 'string' && value !== '') Object.assign(draft, { [target]: value })
    else report(name, 'must be a text that is not empty; leave it out when there is none')
  }
}

function readTime(attributes: Attributes, draft: Partial<EventDraft>, report: Report): void {
  const value = valueOf(attributes, 'time')
  if (value === undefined) return
  const time = typeof value === 'string' ? timeOf(value) : undefined
  if (time === undefined) report('time', 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z')
  else draft.time = time
}

// The version of the event's definition travels as the extension `version`: a number, or digits in a header.
function readVersion(attributes: Attributes, draft: Partial<EventDraft>, report: Report): void {
  const value = valueOf(attributes, 'version')
  if (value === undefined) return
  if ((typeof value === 'number' || typeof value === 'string') && versionForm.test(String(value)))
    draft.version = Number(value)
  else report('version', 'must be a whole number from 1, the version of the event definition')
}

function extensionsOf(attributes: Attributes, report: Report): Record<string, string | number | boolean> {
  const extensions: Record<string, string | number | boolean> = {}
  for (const [name, value] of attributes) {
    if (kept.has(name) || value === null) continue
    const shown = name.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1')
    if (!nameForm.test(name))
      report(shown, 'is not an attribute name: use 1 to 40 lower-case letters and digits')
    else if (name === 'dataschema' && (typeof value !== 'string' || value === ''))
      report(name, 'must be a URI as text; leave it out when there is none')
    else if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value))
      extensions[name] = value as string | number | boolean
    else report(shown, 'must be a text, a whole number or a boolean; put other things into data')
  }
  return extensions
}

// Senders that know data as bytes only write JSON as base64, too. A CloudEvent may have no data, an event of the log has: null.
function dataOf(attributes: Attributes, at: string): unknown {
  const encoded = valueOf(attributes, 'data_base64')
  if (encoded === undefined) return attributes.get('data') ?? null
  const refused = (message: string) =>
    malformed('CLOUDEVENT_INVALID', [{ field: `${at}/data_base64`, message }])
  if (attributes.has('data')) throw refused('stands beside "data"; send one of them')
  if (typeof encoded !== 'string' || !base64Form.test(encoded)) throw refused('must be a text in base64')
  try {
    return parseJson(Buffer.from(encoded, 'base64'))
  } catch (error) {
    if (error instanceof JsonError) throw refused(`holds no JSON that can be taken: ${error.message}`)
    throw error
  }
}

function refuseOtherData(attributes: Attributes, at: string): void {
  const type = valueOf(attributes, 'datacontenttype')
  if (type === undefined) {
    if (valueOf(attributes, 'data_base64') === undefined) return
    throw unsupported(
      'Of "data_base64" datacontenttype must say that it is JSON; or put the JSON into "data"',
      `${at}/data_base64`,
    )
  }
  if (typeof type !== 'string' || !isJson(typeOfData(type, at)))
    throw unsupported('Data must be JSON, and datacontenttype says otherwise', `${at}/datacontenttype`)
}

function typeOfData(type: string, at: string): string {
  try {
    return mediaType(type)
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    throw unsupported(
      'datacontenttype must be a JSON type in UTF-8 such as application/json',
      `${at}/datacontenttype`,
    )
  }
}

const valueOf = (attributes: Attributes, name: string) => attributes.get(name) ?? undefined

function adviceFor(name: (typeof required)[number]): string {
  if (name === 'specversion') return 'send "1.0"'
  if (name === 'id') return 'send a text that names this event once and for all within its source'
  return name === 'source'
    ? 'send a URI reference such as /shop/checkout'
    : 'send the type of a defined event'
}
