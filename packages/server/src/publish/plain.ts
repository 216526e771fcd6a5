// Plain JSON: `{ type, data, … }` with the library's own names, or an array of those.
import type { IncomingEvent } from 'eventspine'
import { z } from 'zod'
import { readValues } from '../route/read.js'
import { malformed, timeOf, typeCharactersMax } from './incoming.js'

const line = z.string().min(1)

/** One event. What is left out gets the library's defaults. */
export const plainEvent = z
  .strictObject({
    type: line.max(typeCharactersMax).describe('Type of a defined event'),
    version: z.int().min(1).optional().describe('Default: the newest'),
    data: z.unknown().optional().describe('Fits the schema of the definition'),
    id: line.optional().describe('Makes repeats one event, together with source'),
    source: line.optional().describe('Default: / and the name of the app'),
    subject: line.optional(),
    tenant: line.optional().describe('Default: that of the API key, else of the app'),
    key: line.optional().describe('Ordering scope. Default: from data, by the definition'),
    time: line.optional().describe('RFC 3339. Default: now'),
    traceparent: line.optional().describe('W3C trace context. Default: the header of that name'),
    correlationId: line.optional(),
    causationId: line.optional(),
    extensions: z.record(z.string(), z.union([z.string(), z.int(), z.boolean()])).optional(),
  })
  .describe('An event in plain JSON')

/** Throws REQUEST_INVALID with every fault. */
export function plainIngest(value: unknown, at: string): IncomingEvent {
  refuseCloudEvent(value, at)
  const { time, ...rest } = readValues(plainEvent, value, at)
  if (time === undefined) return defined(rest)
  const date = timeOf(time)
  if (date !== undefined) return { ...defined(rest), time: date }
  throw malformed('REQUEST_INVALID', [
    { field: `${at}/time`, message: 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z' },
  ])
}

// The commonest mistake deserves its own answer.
function refuseCloudEvent(value: unknown, at: string): void {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'specversion')) return
  throw malformed('REQUEST_INVALID', [
    {
      field: `${at}/specversion`,
      message:
        'belongs to a CloudEvent; send "Content-Type: application/cloudevents+json" (or -batch+json), or leave specversion out',
    },
  ])
}

// Absent is absent: the library's options are exact.
function defined(values: Omit<z.output<typeof plainEvent>, 'time'>): IncomingEvent {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return { type: values.type, data: values.data, ...Object.fromEntries(entries) }
}
