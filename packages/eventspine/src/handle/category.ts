// Every error has one category, and the category drives retry, breaker, dead letter, alert and redrive.

export const categories = [
  'validation',
  'permanent',
  'transient',
  'timeout',
  'processing',
  'unknown',
] as const
export type Category = (typeof categories)[number]

export interface HandlerErrorOptions {
  readonly cause?: unknown
  /** For a transient fault: the downstream asked to wait at least this long. */
  readonly retryAfterMs?: number
}

/** Throw one of its subclasses in a handler to say what should happen to the delivery. */
export class HandlerError extends Error {
  readonly category: Category
  readonly retryAfterMs: number | undefined

  constructor(category: Category, message: string, options: HandlerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.category = category
    this.retryAfterMs = options.retryAfterMs
  }
}

/** The event or a business rule is violated: dead at once, a person mends and redrives it. */
export class ValidationError extends HandlerError {
  constructor(message: string, options?: HandlerErrorOptions) {
    super('validation', message, options)
  }
}

/** Will never succeed: dead at once. */
export class PermanentError extends HandlerError {
  constructor(message: string, options?: HandlerErrorOptions) {
    super('permanent', message, options)
  }
}

/** A passing fault of something else: retried by the policy, counted by the breaker. */
export class TransientError extends HandlerError {
  constructor(message: string, options?: HandlerErrorOptions) {
    super('transient', message, options)
  }
}

/** A deadline passed: retried, counted by the breaker. */
export class TimeoutError extends HandlerError {
  constructor(message: string, options?: HandlerErrorOptions) {
    super('timeout', message, options)
  }
}

/** The handler's own logic failed: retried a few times. */
export class ProcessingError extends HandlerError {
  constructor(message: string, options?: HandlerErrorOptions) {
    super('processing', message, options)
  }
}
