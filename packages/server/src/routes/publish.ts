// POST /v1/events: one event or many, as CloudEvents or plain JSON, into the log. 202 means that it is there for good.
import type { IncomingEvent } from 'eventspine'
import { parseJson } from 'eventspine/ingress'
import { z } from 'zod'
import { publishedTenant } from '../access/tenancy.js'
import { problemOf } from '../problem/from-error.js'
import { Problem } from '../problem/problem.js'
import { headerAttributes, isBinary } from '../publish/binary.js'
import { readBody } from '../publish/body.js'
import { cloudEvent } from '../publish/cloud-event.js'
import {
  batchType,
  isJson,
  jsonType,
  mediaType,
  structuredType,
  unsupported,
} from '../publish/content-type.js'
import { attributeField, malformed } from '../publish/incoming.js'
import { plainEvent, plainIngest } from '../publish/plain.js'
import { type Answer, defineRoute, type Incoming } from '../route/route.js'
import { cloudEventBatchBody, cloudEventBody } from '../schema/cloud-events.js'
import { noPath, noQuery } from '../schema/parts.js'

const publishedView = z.object({
  events: z.array(
    z.object({
      id: z.string(),
      type: z.string(),
      version: z.number().int(),
      tenant: z.string(),
      source: z.string(),
    }),
  ),
  idempotencyWindowSeconds: z.number().describe('So long a repeat of (tenant, source, id) is the same event'),
})

const description = `Stores one event, or 1 to 100 at once, all or none. The Content-Type decides how the body is read:

- \`application/json\`: \`{"type", "data", …}\` or an array of those. Names are those of the library.
- \`application/cloudevents+json\`: one CloudEvent 1.0 (structured mode).
- \`application/cloudevents-batch+json\`: an array of CloudEvents.
- \`application/json\` (or none) with \`ce-…\` headers: a CloudEvent in binary mode, its data in the body.

CloudEvents attributes: \`id\` and \`source\` are the idempotency identity; \`partitionkey\` is the key (ordering scope);
the extension \`version\` chooses the version of the event definition (default: the newest); \`tenant\`, \`traceparent\`,
\`correlationid\` and \`causationid\` mean what they mean in the library. \`dataschema\` and all other extensions are kept
with the event and decide nothing. Data are JSON (also as \`data_base64\`, where \`datacontenttype\` says so); a CloudEvent without data has
null. Without a \`traceparent\` of its own an event continues that of the HTTP header.

One event has at most 256 KiB, a batch 1 MiB. Sending the same event again within the idempotency window gives the same
answer and stores nothing; the same identity with other content is refused with 409. 202 is sent after the event is
durable.`

export const publishRoute = defineRoute({
  method: 'POST',
  url: '/v1/events',
  operationId: 'publishEvents',
  tag: 'Events',
  summary: 'Publish events',
  description,
  access: { scope: 'publish', tenancy: 'filtered' },
  path: noPath,
  query: noQuery,
  rawBody: {
    [jsonType]: z.union([plainEvent, z.array(plainEvent).min(1).max(100)]),
    [structuredType]: cloudEventBody,
    [batchType]: cloudEventBatchBody,
  },
  successes: [{ status: 202, description: 'Stored, durably', schema: publishedView }],
  problems: [
    'CLOUDEVENT_INVALID',
    'JSON_INVALID',
    'JSON_DEPTH',
    'JSON_NUMBER',
    'TENANT_FORBIDDEN',
    'IDEMPOTENCY_CONFLICT',
    'EVENT_TOO_LARGE',
    'BODY_TOO_LARGE',
    'BATCH_TOO_LARGE',
    'CONTENT_TYPE_UNSUPPORTED',
    'EVENT_INVALID',
    'EVENT_UNKNOWN',
    'OVERLOADED',
    'UNKNOWN_OUTCOME',
  ],
  handle: publish,
})

/** Events with how they were written: it decides how a refusal names their fields. */
interface Received {
  readonly events: readonly IncomingEvent[]
  readonly single: boolean
  readonly attributes: boolean
}

async function publish(incoming: Incoming): Promise<Answer> {
  const received = await receive(incoming)
  const events = received.events.map((event, index) =>
    complete(incoming, event, received.single ? '' : `/${index}`),
  )
  try {
    const stored = await store(incoming, events, received.single)
    const [first] = stored
    incoming.note({
      eventIds: stored.map((event) => event.id),
      ...(first === undefined ? {} : { tenant: first.tenant }),
    })
    return { status: 202, body: { events: stored, idempotencyWindowSeconds: windowSeconds(incoming) } }
  } catch (error) {
    throw received.attributes ? named(problemOf(error)) : error
  }
}

const windowSeconds = (incoming: Incoming) => incoming.spine.idempotencyWindowMs / 1_000

async function store(incoming: Incoming, events: readonly IncomingEvent[], single: boolean) {
  const [only] = events
  const stored =
    single && only !== undefined
      ? [await incoming.spine.ingest(only)]
      : await incoming.spine.ingestMany([...events])
  return stored.map(({ id, type, version, tenant, source }) => ({ id, type, version, tenant, source }))
}

async function receive(incoming: Incoming): Promise<Received> {
  const { 'content-type': header } = incoming.request.headers
  // An event without data has no type of data either, and some senders leave it out where it is JSON.
  const type = mediaType(header === undefined && isBinary(incoming.request) ? jsonType : header)
  if (type === structuredType) {
    return { events: [structured(await json(incoming, false), '')], single: true, attributes: true }
  }
  if (type === batchType) {
    const events = batch(incoming, await json(incoming, true)).map((value, at) => structured(value, `/${at}`))
    return { events, single: false, attributes: true }
  }
  if (isBinary(incoming.request)) return binary(incoming, type)
  if (type !== jsonType) throw unsupported(`"${type}" is not read here`)
  return plain(incoming)
}

async function plain(incoming: Incoming): Promise<Received> {
  const value = await json(incoming, true)
  if (!Array.isArray(value)) return { events: [plainIngest(value, '')], single: true, attributes: false }
  const events = batch(incoming, value).map((each, at) => plainIngest(each, `/${at}`))
  return { events, single: false, attributes: false }
}

async function binary(incoming: Incoming, type: string): Promise<Received> {
  if (!isJson(type)) throw unsupported(`Data of type "${type}" is not taken: it must be JSON`)
  const attributes = headerAttributes(incoming.request)
  const bytes = await body(incoming, false)
  if (bytes.length > 0) attributes.set('data', parseJson(bytes))
  return { events: [cloudEvent(attributes, '')], single: true, attributes: true }
}

function structured(value: unknown, at: string): IncomingEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const hint = Array.isArray(value) ? `; send an array as ${batchType}` : ''
    throw malformed('CLOUDEVENT_INVALID', [
      { field: at, message: `must be one CloudEvent, an object${hint}` },
    ])
  }
  return cloudEvent(new Map<string, unknown>(Object.entries(value)), at)
}

function batch(incoming: Incoming, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw malformed('CLOUDEVENT_INVALID', [
      { field: '', message: `must be an array of CloudEvents; send one alone as ${structuredType}` },
    ])
  }
  if (value.length === 0) {
    throw new Problem('REQUEST_INVALID', 'The batch is empty. Send at least one event, or nothing at all.')
  }
  const { batchEventsMax } = incoming.settings.limits
  if (value.length <= batchEventsMax) return value
  throw new Problem(
    'BATCH_TOO_LARGE',
    `The batch has ${value.length} events; at most ${batchEventsMax} are taken at once. Send several batches.`,
  )
}

async function json(incoming: Incoming, many: boolean): Promise<unknown> {
  const bytes = await body(incoming, many)
  const { bodyBytesMax, batchBytesMax } = incoming.settings.limits
  const value = parseJson(bytes, { sizeBytesMax: many ? batchBytesMax : bodyBytesMax })
  if (!many || Array.isArray(value) || bytes.length <= bodyBytesMax) return value
  throw new Problem(
    'BODY_TOO_LARGE',
    `The event has ${Math.ceil(bytes.length / 1024)} KiB; one event has at most ${bodyBytesMax / 1024} KiB. Keep the large part elsewhere and publish a reference to it.`,
  )
}

function body(incoming: Incoming, many: boolean): Promise<Buffer> {
  const { bodyBytesMax, batchBytesMax, discardedBytesMax } = incoming.settings.limits
  return readBody(incoming.request, { bytesMax: many ? batchBytesMax : bodyBytesMax, discardedBytesMax })
}

// What the sender left out and the request knows: the key's tenant, the trace of the HTTP call.
function complete(incoming: Incoming, event: IncomingEvent, at: string): IncomingEvent {
  const tenant = publishedTenant(incoming.principal, event.tenant, at)
  const traceparent = event.traceparent ?? headerTrace(incoming)
  return {
    ...event,
    ...(tenant === undefined ? {} : { tenant }),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
}

function headerTrace(incoming: Incoming): string | undefined {
  const header = incoming.request.headers.traceparent
  return typeof header === 'string' && header.length <= 100 ? header : undefined
}

function named(problem: Problem): Problem {
  return new Problem(problem.code, problem.message, {
    field: problem.field === undefined ? undefined : attributeField(problem.field),
    issues: problem.issues.map((issue) => ({ ...issue, field: attributeField(issue.field) })),
    headers: problem.headers,
    cause: problem.cause,
  })
}
