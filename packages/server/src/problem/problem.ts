// A refusal on its way to the caller, as RFC 9457 problem+json.
import { type ProblemCode, problemKinds, problemType } from './catalog.js'

export interface Issue {
  /** JSON Pointer into the body; `/query/…` and `/path/…` for parts of the URL, `/headers/…` for headers. */
  readonly field: string
  readonly message: string
}

export interface ProblemDetails {
  readonly field?: string | undefined
  readonly issues?: readonly Issue[]
  /** Sent as Retry-After, rounded up to seconds. */
  readonly retryAfterMs?: number | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

export const problemContentType = 'application/problem+json'

/** Thrown anywhere in a request; `detail` says what to do instead. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly field: string | undefined
  readonly issues: readonly Issue[]
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ProblemCode, detail: string, details: ProblemDetails = {}) {
    super(detail, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.field = details.field
    this.issues = details.issues ?? []
    this.headers = { ...retryAfter(details.retryAfterMs), ...details.headers }
  }

  get status(): number {
    return problemKinds[this.code].status
  }

  /** The body. `instance` names this one occurrence: the request id, which is in the log too. */
  body(requestId: string): Record<string, unknown> {
    return {
      type: problemType(this.code),
      title: problemKinds[this.code].title,
      status: this.status,
      detail: this.message,
      instance: `urn:eventspine:request:${requestId}`,
      code: this.code,
      ...(this.field === undefined || this.field === '' ? {} : { field: this.field }),
      ...(this.issues.length === 0 ? {} : { issues: this.issues }),
    }
  }
}

function retryAfter(ms: number | undefined): Record<string, string> {
  return ms === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(ms / 1_000))) }
}
