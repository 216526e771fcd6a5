// A file of events, one JSON object on each line, as `events list --json` and `events tail --json` write them. Read
// twice: all of it is checked before anything is sent.
import type { App, IncomingEvent } from 'eventspine'
import { parseJson } from 'eventspine/ingress'
import { CommandError, failureOf } from '../failure.js'
import { openFile } from './json.js'
import { suggestion } from './suggestion.js'

const lineBytesMax = 1024 * 1024
const texts = [
  'id',
  'source',
  'subject',
  'tenant',
  'key',
  'traceparent',
  'correlationId',
  'causationId',
] as const
/** What the log adds, and what a person may leave in a file that came from it. */
const ignored = ['recordedAt', 'position']
const names: readonly string[] = ['type', 'version', 'data', 'time', 'extensions', ...texts, ...ignored]

export interface EventLine {
  readonly line: number
  readonly event: IncomingEvent
}

/** The events of a file with their line numbers; empty lines are passed over. Throws naming the line. */
export async function* eventLines(path: string): AsyncGenerator<EventLine> {
  const file = await openFile(path, '--file')
  let line = 0
  try {
    for await (const text of file.readLines()) {
      line += 1
      if (text.trim() !== '') yield { line, event: atLine(line, () => eventOf(text)) }
    }
  } finally {
    await file.close()
  }
}

/** Whether the app takes the event: type, version and schema. What only the database knows is not asked. */
export async function checkLine(app: App, { line, event }: EventLine): Promise<void> {
  const definition = atLine(line, () => app.registry.find(event.type, event.version))
  const result = await definition.schema['~standard'].validate(event.data)
  const [issue] = result.issues ?? []
  if (issue === undefined) return
  const path = (issue.path ?? [])
    .map((part) => `/${String(typeof part === 'object' ? part.key : part)}`)
    .join('')
  throw wrongLine(line, 'EVENT_INVALID', `/data${path}: ${issue.message}`)
}

/** Runs `work`; what it throws names the line. */
function atLine<Result>(line: number, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    const { code, message } = failureOf(error)
    throw wrongLine(line, code, message)
  }
}

/** An error that names its line. */
export const wrongLine = (line: number, code: string, message: string) =>
  new CommandError(code, `Line ${line}: ${message}`, { field: `line ${line}` })

function eventOf(text: string): IncomingEvent {
  const value = parseJson(text, { sizeBytesMax: lineBytesMax })
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('write one object such as {"type":"orders.order-placed","data":{…}}')
  const fields = value as Record<string, unknown>
  for (const name of Object.keys(fields))
    if (!names.includes(name)) throw invalid(`"${name}" is no field of an event. ${suggestion(name, names)}`)
  const { type, version, data } = fields
  if (typeof type !== 'string') throw invalid('"type" is missing: the name of an event of the app')
  if (data === undefined) throw invalid('"data" is missing: what happened')
  if (version !== undefined && !Number.isInteger(version)) throw invalid('"version" must be a whole number')
  return {
    type,
    data,
    ...(typeof version === 'number' && { version }),
    ...textsOf(fields),
    ...timeOf(fields.time),
    ...extensionsOf(fields.extensions),
  }
}

const invalid = (message: string) => new CommandError('EVENT_INVALID', message)

function textsOf(fields: Record<string, unknown>): Partial<Record<(typeof texts)[number], string>> {
  const found: Partial<Record<(typeof texts)[number], string>> = {}
  for (const name of texts) {
    const value = fields[name]
    if (value === undefined) continue
    if (typeof value !== 'string') throw invalid(`"${name}" must be a text`)
    found[name] = value
  }
  return found
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i

function timeOf(value: unknown): { readonly time?: Date } {
  if (value === undefined) return {}
  const time = typeof value === 'string' && rfc3339.test(value) ? new Date(value) : undefined
  if (time !== undefined && Number.isFinite(time.getTime())) return { time }
  throw invalid('"time" must be an RFC 3339 time such as 2026-01-31T12:00:00Z')
}

function extensionsOf(value: unknown): Pick<IncomingEvent, 'extensions'> {
  if (value === undefined) return {}
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isObject) return { extensions: value as Record<string, string> }
  throw invalid('"extensions" must be an object of texts, whole numbers and booleans')
}
