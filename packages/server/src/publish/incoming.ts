// What every form of POST /v1/events becomes: events for the library, and how its answers name their fields.
import type { IncomingEvent } from 'eventspine'
import type { Issue } from '../problem/problem.js'
import { Problem } from '../problem/problem.js'

/** No definition has a longer type; a longer one is not worth comparing with theirs. */
export const typeCharactersMax = 200

/** An event under construction. */
export type EventDraft = { -readonly [Name in keyof IncomingEvent]: IncomingEvent[Name] }

/** What stands in the CloudEvents attribute's place in the library. */
export const libraryNames = {
  partitionkey: 'key',
  correlationid: 'correlationId',
  causationid: 'causationId',
} as const

const attributeNames: Readonly<Record<string, string>> = {
  key: 'partitionkey',
  correlationId: 'correlationid',
  causationId: 'causationid',
}

/** A field of the library as the sender of a CloudEvent wrote it: `/3/key` is `/3/partitionkey`. */
export function attributeField(field: string): string {
  const [, index = '', name = '', rest = ''] = /^(\/\d+)?\/([^/]*)(.*)$/.exec(field) ?? []
  if (name === '') return field
  if (name === 'extensions' && rest !== '') return index + rest
  return `${index}/${attributeNames[name] ?? name}${rest}`
}

/** A refusal of an event's form, with all its faults. */
export function malformed(code: 'CLOUDEVENT_INVALID' | 'REQUEST_INVALID', issues: readonly Issue[]): Problem {
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  return new Problem(code, `${first?.field || 'The body'}: ${first?.message}${more}.`, {
    field: first?.field,
    issues,
  })
}

// RFC 3339 allows lower case, and more digits of a second than a date keeps.
const timeForm =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** A time, or undefined when the text is none, or a day that no month has. */
export function timeOf(given: string): Date | undefined {
  const text = given.toUpperCase()
  const [, year, month, day] = timeForm.exec(text) ?? []
  if (year === undefined) return undefined
  const date = new Date(text)
  const sameDay = new Date(`${year}-${month}-${day}T00:00:00Z`)
  const exists = !Number.isNaN(date.getTime()) && sameDay.getUTCDate() === Number(day)
  return exists ? date : undefined
}
