// Every way in which the API refuses: a stable code, the HTTP status it always has, and a title.
// What went wrong this time, and what to send instead, is in the detail of each problem.

interface ProblemKind {
  readonly status: number
  readonly title: string
}

/** Codes of the library and of this server with what they are over HTTP. */
export const problemKinds = {
  HTTP_MALFORMED: { status: 400, title: 'The request is not valid HTTP' },
  REQUEST_INVALID: { status: 400, title: 'The request does not fit this route' },
  CLOUDEVENT_INVALID: { status: 400, title: 'The event is not a valid CloudEvent' },
  CELL_UNKNOWN: { status: 400, title: 'There is no such cell' },
  JSON_INVALID: { status: 400, title: 'The body is not JSON' },
  JSON_ENCODING: { status: 400, title: 'The body is not UTF-8' },
  JSON_DEPTH: { status: 400, title: 'The JSON is nested too deeply' },
  JSON_KEYS: { status: 400, title: 'An object has too many keys' },
  JSON_STRING: { status: 400, title: 'A text is too long' },
  JSON_NUL: { status: 400, title: 'A text contains NUL' },
  JSON_SURROGATE: { status: 400, title: 'A text contains half a character' },
  JSON_PROTO: { status: 400, title: 'A key names the prototype' },
  JSON_DUPLICATE_KEY: { status: 400, title: 'A key stands twice in one object' },
  JSON_NUMBER: { status: 400, title: 'A number would lose digits' },
  JSON_TYPE: { status: 400, title: 'A value is not JSON' },
  JSON_CYCLE: { status: 400, title: 'A value contains itself' },
  SIGNATURE_INVALID: { status: 401, title: 'The message is not signed by its sender' },
  UNAUTHENTICATED: { status: 401, title: 'No valid API key' },
  FORBIDDEN: { status: 403, title: 'The caller may not ask this' },
  SCOPE_MISSING: { status: 403, title: 'The API key may not do this' },
  TENANT_FORBIDDEN: { status: 403, title: 'The API key is limited to one tenant' },
  CSRF_REFUSED: { status: 403, title: 'Not sent by the console itself' },
  ORIGIN_REFUSED: { status: 403, title: 'Sent by another web site' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  WORKFLOW_UNKNOWN: { status: 404, title: 'No such workflow is defined' },
  ROUTE_UNKNOWN: { status: 404, title: 'No such route' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The route has no such method' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request did not arrive in time' },
  IDEMPOTENCY_CONFLICT: { status: 409, title: 'The id belongs to another event' },
  WORKFLOW_PIVOTED: { status: 409, title: 'The workflow is behind its point of no return' },
  APPROVAL_NOT_ASKED: { status: 409, title: 'That question is not open' },
  WORKFLOW_ENDED: { status: 409, title: 'The workflow has ended' },
  WORKFLOW_FAILED: { status: 409, title: 'The workflow did not complete' },
  WORKFLOW_RUNNING: { status: 409, title: 'The workflow has not ended' },
  WORKFLOW_NOT_HALTED: { status: 409, title: 'Nothing halts the workflow' },
  LETTER_CHANGED: { status: 409, title: 'Somebody was faster' },
  REPLAY_REFUSED: { status: 409, title: 'The replay is refused' },
  EVENT_TOO_LARGE: { status: 413, title: 'The event is too large' },
  JSON_SIZE: { status: 413, title: 'The JSON is too large' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  BATCH_TOO_LARGE: { status: 413, title: 'The batch has too many events' },
  URL_TOO_LONG: { status: 414, title: 'A part of the path is too long' },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, title: 'Unsupported content type' },
  CONTENT_ENCODING_UNSUPPORTED: { status: 415, title: 'Compressed bodies are not accepted' },
  EXPECTATION_FAILED: { status: 417, title: 'Unknown expectation' },
  HOST_REFUSED: { status: 421, title: 'The host name is not served here' },
  EVENT_INVALID: { status: 422, title: 'The event does not fit its definition' },
  EVENT_UNKNOWN: { status: 422, title: 'No such event is defined' },
  IN_FLIGHT_MAX: { status: 429, title: 'Too many requests at once' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  INTERNAL: { status: 500, title: 'A fault of the server' },
  OVERLOADED: { status: 503, title: 'Too much to do at the moment' },
  UNAVAILABLE: { status: 503, title: 'The database cannot be reached' },
  UNKNOWN_OUTCOME: { status: 503, title: 'Whether it was stored is not known' },
  STOPPED: { status: 503, title: 'The server is stopping' },
  TIMED_OUT: { status: 504, title: 'It has not happened in time' },
} as const satisfies Readonly<Record<string, ProblemKind>>

/** The `code` of a problem. */
export type ProblemCode = keyof typeof problemKinds

/** All codes, for documents and tests. */
export const problemCodes = Object.keys(problemKinds) as readonly ProblemCode[]

/** The code of a text, if it is one. */
export function problemCode(text: unknown): ProblemCode | undefined {
  return typeof text === 'string' && Object.hasOwn(problemKinds, text) ? (text as ProblemCode) : undefined
}

/** The stable URI of a problem's kind: RFC 9457 `type`. */
export const problemType = (code: ProblemCode) => `urn:eventspine:error:${code}`
