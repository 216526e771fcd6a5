// Where a reader of the stream is: the id of each message, which comes back as Last-Event-ID.
// A page's last event has the page's cursor as its id; those before it the cursor in front of the page and their own id.
import { Problem } from '../problem/problem.js'

export interface TailPlace {
  readonly cursor: string
  /** Behind this event of the page that follows the cursor. */
  readonly eventId: string | undefined
}

const form = /^([A-Za-z0-9_-]{1,2000})(?:~([!-~]{1,3000}))?$/

export const placeText = (cursor: string, eventId?: string) =>
  eventId === undefined ? cursor : `${cursor}~${encodeURIComponent(eventId)}`

/** Throws REQUEST_INVALID when it is not the id of a message of this stream. */
export function tailPlace(given: string | readonly string[] | undefined): TailPlace | undefined {
  if (given === undefined || given === '') return undefined
  const [, cursor, eventId] = (typeof given === 'string' && form.exec(given)) || []
  try {
    if (cursor !== undefined)
      return { cursor, eventId: eventId === undefined ? undefined : decodeURIComponent(eventId) }
  } catch {
    // Told below.
  }
  throw foreignPlace()
}

/** REQUEST_INVALID for what another stream, or another database, has given out. */
export const foreignPlace = (cause?: unknown) =>
  new Problem(
    'REQUEST_INVALID',
    'The Last-Event-ID is not the id of a message of this stream. Leave it out to begin with what comes.',
    { field: '/headers/last-event-id', cause },
  )
