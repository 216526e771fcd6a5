// Invariants that hold unless Eventspine itself is wrong.
import { EventspineError } from './errors.js'

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition)
    throw new EventspineError('INVARIANT', `${message}. This is a fault of Eventspine: please report it.`)
}

const programming = [TypeError, ReferenceError, RangeError, SyntaxError]

/** Thrown by code of ours that is wrong, not by a store that is away. */
export function isOwnFault(error: unknown): error is Error {
  if (error instanceof EventspineError) return error.code === 'INVARIANT'
  return programming.some((kind) => error instanceof kind)
}

/** Database 64-bit integers are read as numbers: 2^53 lasts 285 years at a million a second, and this checks it. */
export function safeInteger(value: string | number): number {
  const number = Number(value)
  assert(Number.isSafeInteger(number), `${value} is beyond 2^53`)
  return number
}
