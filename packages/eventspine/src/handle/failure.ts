// From whatever a handler threw to one category and a record that is safe to keep.
import { createHash } from 'node:crypto'
import type { Failure } from '../deliver/port.js'
import { type Category, categories } from './category.js'

const messageLengthMax = 2_000
const stackLengthMax = 4_000

const transientCode =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_|08|40001|40P01|53|55P03|57P0|UNAVAILABLE|OVERLOADED)/
const validationName = /^(ZodError|ValiError|SchemaError|ValidationError|JsonError)$/
/** What the handler published, or asked for, is refused however often it is tried. */
const validationCode = /^(EVENT_INVALID|EVENT_TOO_LARGE|IDEMPOTENCY_CONFLICT|REQUEST_INVALID)$/
const timeoutName = /^(TimeoutError|AbortError)$/
const logicErrors = [TypeError, ReferenceError, RangeError, SyntaxError]

/** The category of a thrown value. An own `category` wins; then what is known of names, codes and HTTP status. */
export function categoryOf(error: unknown): Category {
  const named = property(error, 'category')
  if (typeof named === 'string' && categories.includes(named as Category)) return named as Category
  if (!(error instanceof Error)) return 'unknown'
  const code = String(property(error, 'code') ?? '')
  if (validationName.test(error.name) || validationCode.test(code)) return 'validation'
  if (timeoutName.test(error.name)) return 'timeout'
  if (transientCode.test(code) || connectionLost(error)) return 'transient'
  const cause = error.cause
  if (cause instanceof Error && transientCode.test(String(property(cause, 'code') ?? ''))) return 'transient'
  const status = property(error, 'status') ?? property(error, 'statusCode')
  if (typeof status === 'number') return categoryOfStatus(status)
  if (logicErrors.some((kind) => error instanceof kind)) return 'processing'
  return 'unknown'
}

/** The connection to a database broke while it was in use: the server is gone or has ended the session. */
export function connectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (/^(08|57P0|ECONN|EPIPE)/.test(String(property(error, 'code') ?? ''))) return true
  return /^(Connection terminated|Client has encountered a connection error)/.test(error.message)
}

function categoryOfStatus(status: number): Category {
  if (status === 408 || status === 504) return 'timeout'
  if (status === 429 || status >= 500) return 'transient'
  if (status === 400 || status === 422) return 'validation'
  return status >= 400 ? 'permanent' : 'unknown'
}

/** The category and the record of a thrown value, whatever it is: its properties may be missing, odd or throw. */
export function judge(error: unknown): Failure {
  try {
    return failureOf(error, categoryOf(error))
  } catch {
    return failureOf(new Error('The handler threw a value that cannot even be read'), 'unknown')
  }
}

export function failureOf(error: unknown, category: Category): Failure {
  const isError = error instanceof Error
  const name = isError ? clean(String(error.name), 200) : typeof error
  const message = clean(isError ? String(error.message) : printed(error), messageLengthMax)
  const stack = isError && error.stack !== undefined ? clean(String(error.stack), stackLengthMax) : null
  const code = property(error, 'code')
  return {
    category,
    name,
    message,
    stack,
    code: code === undefined ? null : clean(String(code), 100),
    fingerprint: fingerprint(name, message),
  }
}

/** How long the thrower asked to wait, in milliseconds. */
export function retryAfterOf(error: unknown): number {
  const asked = property(error, 'retryAfterMs')
  return typeof asked === 'number' && asked > 0 ? asked : 0
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function printed(value: unknown): string {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  } catch {
    return Object.prototype.toString.call(value)
  }
}

// NUL cannot be stored, lone surrogates neither, and colour codes or other control characters have no place in a log.
function clean(text: string, lengthMax: number): string {
  return text
    .slice(0, lengthMax)
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '\ufffd')
}

/** Numbers, ids and quoted parts vary between two cases of one fault; what stays names it. */
function fingerprint(name: string, message: string): string {
  const stable = message
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\d+|"[^"]*"|'[^']*'/gi, '#')
    .slice(0, 300)
  return createHash('sha256').update(`${name}\n${stable}`).digest('hex').slice(0, 12)
}
