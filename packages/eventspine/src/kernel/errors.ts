// Every error that Eventspine throws: one base class, a string code, a real cause, and a message that says
// what to do next. `docs/reference/errors.md` lists the codes; a test ties the two.

export const errorCodes = [
  'APP_INVALID',
  'EVENT_INVALID',
  'EVENT_UNKNOWN',
  'EVENT_TOO_LARGE',
  'IDEMPOTENCY_CONFLICT',
  'OVERLOADED',
  'UNAVAILABLE',
  'UNKNOWN_OUTCOME',
  'NOT_STARTED',
  'STOPPED',
  'TRANSACTION_UNSUPPORTED',
  'SCHEMA_OUTDATED',
  'SHARDS_CHANGED',
  'CONTRACT_CHANGED',
  'SIGNATURE_INVALID',
  'ROUTE_FAULT',
  'FORBIDDEN',
  'CELL_UNKNOWN',
  'NOT_FOUND',
  'WORKFLOW_UNKNOWN',
  'WORKFLOW_ENDED',
  'WORKFLOW_FAILED',
  'WORKFLOW_RUNNING',
  'WORKFLOW_NOT_HALTED',
  'WORKFLOW_PIVOTED',
  'APPROVAL_NOT_ASKED',
  'TIMED_OUT',
  'REQUEST_INVALID',
  'REPLAY_REFUSED',
  'LETTER_CHANGED',
  'DATABASE_UNSUPPORTED',
  'INVARIANT',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export interface ErrorDetails {
  readonly cause?: unknown
  /** Where in the caller's input the fault lies: a JSON Pointer such as `/data/quantity`. */
  readonly field?: string
  /** Further faults of the same input, each with its place. */
  readonly issues?: readonly { readonly field: string; readonly message: string }[]
  /** For a passing refusal: how long to wait before the next call. */
  readonly retryAfterMs?: number
}

export class EventspineError extends Error {
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly issues: readonly { readonly field: string; readonly message: string }[]
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'EventspineError'
    this.code = code
    this.field = details.field
    this.issues = details.issues ?? []
    this.retryAfterMs = details.retryAfterMs
  }
}
