// What goes wrong between here and Redis, in the categories by which deliveries are retried.
import { PermanentError, TransientError } from 'eventspine'

const standing = /^(NOAUTH|WRONGPASS|NOPERM|WRONGTYPE|NOSCRIPT)\b/
const passing = /^(LOADING|BUSY|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|UNBLOCKED)\b/
const retryAfterMs = 1_000

/** There is no connection to Redis, or it broke. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code: unknown = Reflect.get(error, 'code')
  return (
    (typeof code === 'string' && /^(E[A-Z]+|NR_CLOSED|CONNECTION_BROKEN)$/.test(code)) ||
    /MaxRetriesPerRequest|ConnectionClosed|AbortError/.test(error.name) ||
    /^Connection (is|was) closed|Stream isn't writeable/i.test(error.message)
  )
}

/** As a handler throws it; what is not known keeps its own category. */
export function errorOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (isConnectionLost(error)) return new TransientError(`Redis: ${error.message}`, { cause: error })
  if (passing.test(error.message))
    return new TransientError(`Redis: ${error.message}`, { cause: error, retryAfterMs })
  if (standing.test(error.message))
    return new PermanentError(`Redis: ${error.message}. Mend the rights to it, and redrive.`, {
      cause: error,
    })
  return error
}
