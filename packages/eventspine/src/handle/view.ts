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
    time: new Date(event.timeMs).toISOString(),
    data,
    traceparent: event.traceparent,
    correlationId: event.correlationId,
    causationId: event.causationId ?? undefined,
    extensions:
      event.extensions === null
        ? noExtensions
        : Object.freeze(JSON.parse(event.extensions) as Event['extensions']),
  })
}

const noExtensions: Event['extensions'] = Object.freeze({})
