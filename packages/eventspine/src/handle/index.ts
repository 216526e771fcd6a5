export {
  type Category,
  HandlerError,
  PermanentError,
  ProcessingError,
  TimeoutError,
  TransientError,
  ValidationError,
} from './category.js'
export type {
  BatchContext,
  BatchDelivery,
  BatchSeat,
  HandlerContext,
  HandlerPublishOptions,
  Seat,
  Transaction,
  TransactionContext,
} from './context.js'
export { judge, retryAfterOf } from './failure.js'
export { type Outcome, outcomes, processDeathName } from './outcome.js'
export { persistently } from './persistently.js'
export { attemptsAllowed, type RetryOptions, type RetryPolicy, retries } from './retry-policy.js'
export { type Drive, Runner, type RunnerServices } from './runner.js'
export { eventFor } from './view.js'
