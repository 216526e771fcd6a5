// Any error of a request as a problem. What is not known to be the caller's is INTERNAL and says nothing of the inside.
import { EventspineError } from 'eventspine'
import { JsonError } from 'eventspine/ingress'
import { type ProblemCode, problemCode } from './catalog.js'
import { Problem } from './problem.js'

const retryAfterMsDefault = 1_000
const passing: readonly ProblemCode[] = ['OVERLOADED', 'UNAVAILABLE', 'UNKNOWN_OUTCOME', 'STOPPED']

// What fastify calls it, and what we do.
const frameworkProblems: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'CONTENT_TYPE_UNSUPPORTED',
    'The Content-Type header cannot be read. Send "Content-Type: application/json".',
  ],
  FST_ERR_BAD_URL: ['REQUEST_INVALID', 'The path has a broken percent-encoding. Write "%" itself as "%25".'],
  FST_ERR_MAX_PARAM_LENGTH: [
    'URL_TOO_LONG',
    'A part of the path is longer than any id. Check how it was made.',
  ],
}

/** Never throws. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof EventspineError) return ofLibrary(error)
  if (error instanceof JsonError) {
    const code = problemCode(error.code) ?? 'JSON_INVALID'
    return new Problem(code, sentence(error.message), { field: error.path, cause: error })
  }
  const known = frameworkProblems[String(property(error, 'code'))]
  if (known !== undefined) return new Problem(known[0], known[1], { cause: error })
  return internal(error)
}

function ofLibrary(error: EventspineError): Problem {
  const code = error.code === 'NOT_STARTED' ? 'STOPPED' : problemCode(error.code)
  if (code === undefined) return internal(error)
  const waitMs = error.retryAfterMs ?? (passing.includes(code) ? retryAfterMsDefault : undefined)
  return new Problem(code, sentence(error.message), {
    field: error.field,
    issues: error.issues,
    retryAfterMs: waitMs,
    cause: error,
  })
}

function internal(cause: unknown): Problem {
  return new Problem(
    'INTERNAL',
    'The request failed for a reason inside the server. Its log has the cause under the request id of this answer.',
    { cause },
  )
}

const sentence = (text: string) => (/[.!?)]$/.test(text) ? text : `${text}.`)

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
