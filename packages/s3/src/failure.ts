// What S3 answers when it does not do as it was asked, in the categories by which deliveries are retried.
import { PermanentError, TimeoutError, TransientError } from 'eventspine'

export interface S3Failure {
  readonly code: string
  readonly message: string
  /** HTTP status; undefined where there was no answer. */
  readonly status: number | undefined
  readonly cause: unknown
}

const throttled = /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown/i
/** They pass without anybody changing a setting, although S3 answers some of them with a status that says otherwise. */
const passing =
  /ExpiredToken|RequestExpired|RequestTimeout$|RequestTimeTooSkewed|CredentialsProvider|InternalError|OperationAborted/
const gone = /NoSuchKey|NoSuchVersion|NotFound/

export function failureOf(error: unknown): S3Failure {
  const { name, message, $metadata } = (error ?? {}) as {
    readonly name?: string
    readonly message?: string
    readonly $metadata?: { readonly httpStatusCode?: number }
  }
  return {
    ...{ code: name ?? 'Unknown', message: message ?? String(error), cause: error },
    status: $metadata?.httpStatusCode,
  }
}

/** S3 asks for fewer calls, or is away for a moment: nothing is wrong with this one. */
export const isThrottled = ({ code, status }: S3Failure) =>
  throttled.test(code) || status === 429 || status === 503

/** There is no such object, or version of it. Not where there is no such bucket. */
export const isGone = ({ code, status }: S3Failure) =>
  gone.test(code) || (status === 404 && code !== 'NoSuchBucket')

/** Until somebody mends the bucket, the rights to it, or the object. */
export const isRefused = (failure: S3Failure) =>
  !isThrottled(failure) &&
  !passing.test(failure.code) &&
  failure.status !== undefined &&
  failure.status >= 400 &&
  failure.status < 500

/** As a handler throws it, of an object that it reads. */
export function errorOf(failure: S3Failure, object: string): Error {
  const { code, message, status, cause } = failure
  const text = `S3: ${object}: ${code}: ${message}`
  if (isThrottled(failure)) return new TransientError(text, { cause })
  if (/^(AbortError|TimeoutError)$/.test(code)) return new TimeoutError(text, { cause })
  if (passing.test(code)) return new TransientError(text, { cause })
  if (status === 412)
    return new PermanentError(
      `S3: ${object} was overwritten: it is not the version any more that the event says. The newer one is another event; to keep older ones readable, switch on the versioning of the bucket.`,
      { cause },
    )
  if (isGone(failure))
    return new PermanentError(
      `S3: ${object} is gone. Was it removed by hand or by a lifecycle rule? Put it back, and redrive.`,
      { cause },
    )
  if (code === 'InvalidObjectState')
    return new PermanentError(`S3: ${object} lies in an archive. Restore it, and redrive.`, { cause })
  if (isRefused(failure))
    return new PermanentError(`${text}. Mend the bucket or the rights to it, and redrive.`, { cause })
  return new TransientError(text, { cause })
}
