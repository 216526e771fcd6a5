// Refusals of the database that are about the events in a statement, and not about the database: what it cannot hold,
// although publishing let it through. A server that is not in UTF-8 refuses most of the world's letters, and a table
// can have got constraints and triggers that are not ours.
import { EventspineError } from '../kernel/index.js'

// SQLSTATE classes: data exception, integrity constraint, check option, program limit. An error with one of them was
// sent by the server in place of a commit: nothing was stored.
const refusalState = /^(22|23|44|54)[0-9A-Z]{3}$/

export function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && refusalState.test(code)
}

/** What the publisher of `events` events is told. */
export function refusedBy(error: unknown, events: number): EventspineError {
  const message = error instanceof Error ? error.message : String(error)
  const which = events === 1 ? 'this event' : `one of these ${events} events, and none is stored`
  return new EventspineError(
    'EVENT_INVALID',
    `The database refuses ${which}: ${message}. Look for text that its encoding does not have, and for constraints or triggers of your own.`,
    { cause: error },
  )
}
