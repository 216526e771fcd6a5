// What SQS answers when it does not do as it was asked, in the categories by which deliveries are retried.
import { PermanentError, TimeoutError, TransientError, ValidationError } from 'eventspine'

/** An error of the SDK, or an entry of a batch that failed. */
export interface SqsFailure {
  readonly code: string
  readonly message: string
  /** HTTP status of a whole call; undefined where there was no answer, and for an entry. */
  readonly status: number | undefined
  /** Seconds, from the answer. */
  readonly retryAfter: string | undefined
  readonly cause: unknown
}

const throttled = /Throttl|TooManyRequests|OverLimit|RequestLimitExceeded|SlowDown/i
const wrongMessage = /InvalidMessageContents|BatchRequestTooLong|InvalidParameterValue|InvalidAttribute/
/** They pass without anybody changing a setting: credentials are renewed, a service comes back. */
const passing =
  /ExpiredToken|RequestExpired|CredentialsProvider|InternalError|InternalFailure|ServiceUnavailable/
const standing =
  /AccessDenied|QueueDoesNotExist|NonExistentQueue|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidAddress|Kms(Disabled|NotFound|InvalidState|InvalidKeyUsage|OptInRequired)/
const retryAfterMsDefault = 1_000

export function failureOf(error: unknown): SqsFailure {
  const { name, message, $metadata, $response } = (error ?? {}) as {
    readonly name?: string
    readonly message?: string
    readonly $metadata?: { readonly httpStatusCode?: number }
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
  }
  return {
    ...{ code: name ?? 'Unknown', message: message ?? String(error), status: $metadata?.httpStatusCode },
    ...{ retryAfter: $response?.headers?.['retry-after'], cause: error },
  }
}

/** SQS asks for fewer calls: nothing is wrong with this one. */
export const isThrottled = ({ code, status }: SqsFailure) => throttled.test(code) || status === 429

/** The message itself is refused: others of its batch may be right. */
export const isWrongMessage = (failure: SqsFailure) =>
  !isThrottled(failure) && (wrongMessage.test(failure.code) || failure.status === 413)

/** As a handler throws it. `queue`: its name. */
export function errorOf(failure: SqsFailure, queue: string): Error {
  const { code, message, status, cause } = failure
  const text = `SQS queue ${queue}: ${code}: ${message}`
  if (isThrottled(failure)) return new TransientError(text, { cause, retryAfterMs: retryAfterMs(failure) })
  if (isWrongMessage(failure)) return new ValidationError(text, { cause })
  if (/^(AbortError|TimeoutError)$/.test(code)) return new TimeoutError(text, { cause })
  if (passing.test(code)) return new TransientError(text, { cause })
  if (standing.test(code) || (status !== undefined && status >= 400 && status < 500))
    return new PermanentError(`${text}. Mend it, or the rights to it, and redrive.`, { cause })
  return new TransientError(text, { cause })
}

function retryAfterMs({ retryAfter }: SqsFailure): number {
  const seconds = Number(retryAfter)
  return seconds > 0 ? seconds * 1_000 : retryAfterMsDefault
}
