// From what a publisher hands in to what is appended: validated, serialised, complete. Everything that could not be
// stored, read back or delivered is refused here, before anything is written.
import { createHash } from 'node:crypto'
import { type Clock, EventspineError, type Random, randomHex, uuidv7 } from '../kernel/index.js'
import type { AnyEventDefinition } from './definition.js'
import { JsonError, writeJson } from './json/index.js'
import { issuesOf, validate } from './registry.js'
import type { NewEvent } from './stored.js'

export interface PublishOptions {
  /** Default: the app's tenant, `default` unless it says otherwise. */
  readonly tenant?: string
  /** Makes repeats of (tenant, source, id) within the idempotency window one event. Default: a new UUID v7. */
  readonly id?: string
  /** URI reference of the producer. Default: `/` and the app's name. */
  readonly source?: string
  readonly subject?: string
  /** Overrides the definition's key. */
  readonly key?: string
  /** When it happened. Default now. */
  readonly time?: Date
  /** W3C trace context to continue. Default: the active span's, else a new one. */
  readonly traceparent?: string
  readonly correlationId?: string
  readonly causationId?: string
  /** CloudEvents extension attributes: lower-case letters and digits. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>
}

export interface Preparation {
  readonly clock: Clock
  readonly random: Random
  readonly tenant: string
  readonly source: string
  /** Bytes of JSON above which an event is refused. */
  readonly hardLimitBytes: number
  readonly activeTraceparent: () => string | undefined
}

const textMax = {
  id: 250,
  source: 500,
  subject: 500,
  key: 500,
  tenant: 100,
  traceparent: 55,
  correlationId: 250,
  causationId: 250,
} as const

export function prepare(
  definition: AnyEventDefinition,
  data: unknown,
  options: PublishOptions,
  settings: Preparation,
): NewEvent | Promise<NewEvent> {
  const result = validate(definition, data)
  const finish = (checked: Awaited<typeof result>) => {
    if (checked.issues !== undefined) throw invalid(definition, issuesOf(checked.issues, '/data'))
    return complete(definition, data, checked.value, options, settings)
  }
  return result instanceof Promise ? result.then(finish) : finish(result)
}

function invalid(
  definition: AnyEventDefinition,
  issues: readonly { field: string; message: string }[],
): EventspineError {
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return new EventspineError(
    'EVENT_INVALID',
    `Data of "${definition.type}" version ${definition.version} does not fit its schema at ${first?.field}: ${first?.message}${more}.`,
    { field: first?.field ?? '/data', issues },
  )
}

// What is stored is what the publisher gave, not what the schema made of it: the schema runs again at delivery, so
// that a handler gets its output types (dates, defaults) and an event stays what was said.
function complete(
  definition: AnyEventDefinition,
  data: unknown,
  output: unknown,
  options: PublishOptions,
  settings: Preparation,
): NewEvent {
  const json = serialise(data, settings.hardLimitBytes)
  const id = options.id ?? uuidv7(settings.clock, settings.random)
  const key = options.key ?? derived(definition, 'key', output)
  const subject = options.subject ?? derived(definition, 'subject', output)
  const timeMs = options.time === undefined ? settings.clock.now() : options.time.getTime()
  if (!Number.isFinite(timeMs) || Math.abs(timeMs) > 8.64e15)
    throw refused('/time', 'time is not a valid date. Give a Date or an RFC 3339 text')
  const event: NewEvent = {
    id: text('id', id),
    type: definition.type,
    version: definition.version,
    tenant: text('tenant', options.tenant ?? settings.tenant),
    source: text('source', options.source ?? settings.source),
    subject: subject === undefined ? null : text('subject', subject),
    key: key === undefined ? null : text('key', key),
    timeMs,
    data: json,
    claim: null,
    traceparent: traceparentOf(options.traceparent ?? settings.activeTraceparent(), settings.random),
    correlationId: text('correlationId', options.correlationId ?? id),
    causationId: options.causationId === undefined ? null : text('causationId', options.causationId),
    extensions: extensionsOf(options.extensions),
    fingerprint: null,
  }
  return options.id === undefined ? event : { ...event, fingerprint: fingerprintOf(event) }
}

function derived(
  definition: AnyEventDefinition,
  name: 'key' | 'subject',
  output: unknown,
): string | undefined {
  const lambda = definition[name]
  if (lambda === undefined) return undefined
  try {
    return lambda(output as never)
  } catch (error) {
    throw refused(
      `/${name}`,
      `The ${name} of "${definition.type}" could not be taken from its data: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function serialise(data: unknown, sizeMax: number): string {
  try {
    return writeJson(data, { sizeBytesMax: sizeMax })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    const code = error.code === 'JSON_SIZE' ? 'EVENT_TOO_LARGE' : 'EVENT_INVALID'
    throw new EventspineError(code, error.message, { field: `/data${error.path ?? ''}`, cause: error })
  }
}

const refused = (field: string, message: string) =>
  new EventspineError('EVENT_INVALID', `${message}.`, { field })

// Control characters break log lines and headers; lone surrogates and NUL cannot be stored.
const unfit = /[\u0000-\u001f\u007f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

function text(name: keyof typeof textMax, value: unknown): string {
  const field = `/${name}`
  if (typeof value !== 'string')
    throw refused(field, `${name} must be a text, and is ${value === null ? 'null' : typeof value}`)
  if (value === '') throw refused(field, `${name} must not be empty. Leave it out instead`)
  if (value.length > textMax[name])
    throw refused(field, `${name} has ${value.length} characters; at most ${textMax[name]} are kept`)
  if (unfit.test(value))
    throw refused(field, `${name} contains a control character or half a surrogate pair. Remove it`)
  return value
}

const traceparentForm = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

// A broken header from outside begins a new trace, as W3C Trace Context orders, instead of refusing the event.
function traceparentOf(given: string | undefined, random: Random): string {
  if (given !== undefined && traceparentForm.test(given)) return given
  return `00-${randomHex(16, random)}-${randomHex(8, random)}-01`
}

const extensionsMax = 32

function extensionsOf(extensions: PublishOptions['extensions']): string | null {
  if (extensions === undefined) return null
  const entries = Object.entries(extensions)
  if (entries.length === 0) return null
  if (entries.length > extensionsMax)
    throw refused('/extensions', `${entries.length} extension attributes; at most ${extensionsMax} are kept`)
  for (const [name, value] of entries) {
    if (!/^[a-z0-9]{1,40}$/.test(name))
      throw refused(
        `/extensions/${name.slice(0, 60)}`,
        'Extension attributes are named with 1 to 40 lower-case letters and digits (CloudEvents)',
      )
    const fits =
      typeof value === 'boolean' ||
      (typeof value === 'number' && Number.isSafeInteger(value)) ||
      (typeof value === 'string' && value.length <= 2_000 && !unfit.test(value))
    if (!fits)
      throw refused(
        `/extensions/${name}`,
        `Extension "${name}" must be a text of at most 2,000 characters, an integer or a boolean`,
      )
  }
  return JSON.stringify(extensions)
}

/** What makes two publishes with one id the same: type, version, key, subject and body as they are stored. */
function fingerprintOf(event: NewEvent): string {
  const identity = JSON.stringify([event.type, event.version, event.key, event.subject, event.data])
  return createHash('sha256').update(identity).digest('base64url')
}
