export {
  type Category,
  PermanentError,
  ProcessingError,
  TimeoutError,
  TransientError,
  ValidationError,
} from './category.js'
export type { HandlerContext, HandlerPublishOptions, Transaction, TransactionContext } from './context.js'
export { type Outcome, outcomes } from './outcome.js'
export { type RetryOptions, type RetryPolicy, retries } from './retry-policy.js'
export { Runner } from './runner.js'
export { eventFor } from './view.js'
