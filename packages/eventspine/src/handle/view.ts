// The event as handlers and filters see it: made once for all of them.
import type { Event } from '../event/event.js'
import type { StoredEvent } from '../event/stored.js'

/** Frozen, since it is shared. */
export function eventFor(event: StoredEvent, data: unknown): Event {
  return Object.freeze({
    id: event.id,
    type: event.type,
    version: event.version,
    source: event.source,
    subject: event.subject ?? undefined,
    tenant: event.tenant,
    key: event.key ?? undefined,
    time: isoOf(event.timeMs),
    data,
    traceparent: event.traceparent,
    correlationId: event.correlationId,
    causationId: event.causationId ?? undefined,
    extensions:
      event.extensions === null
        ? noExtensions
        : Object.freeze(ownOf(JSON.parse(event.extensions) as Event['extensions'])),
  })
}

// Under which key an event is sealed says nothing to a handler, and another event could not have it.
function ownOf({ personalkey: _, ...own }: Event['extensions']): Event['extensions'] {
  return own
}

// Events that are published together happened in the same millisecond, and its text costs as much as all the rest.
let known = { ms: 0, text: new Date(0).toISOString() }
function isoOf(ms: number): string {
  if (known.ms !== ms) known = { ms, text: new Date(ms).toISOString() }
  return known.text
}

const noExtensions: Event['extensions'] = Object.freeze({})
