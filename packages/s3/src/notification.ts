// Event notifications of S3, as they arrive by SQS: from S3 itself, through SNS, or through EventBridge.
import type { Message } from 'eventspine/source'
import { type BucketObject, bare, versionOf } from './object.js'

interface Notified {
  readonly bucket?: { readonly name?: unknown }
  readonly object?: Readonly<Record<string, unknown>>
}

interface Notice {
  readonly eventName: string
  readonly eventTime?: unknown
  readonly s3: Notified
}

interface Notification {
  readonly Records?: unknown
  readonly Event?: unknown
  /** Of SNS: the notification as text. */
  readonly Type?: unknown
  readonly Message?: unknown
  /** Of EventBridge. */
  readonly 'detail-type'?: unknown
  readonly time?: unknown
  readonly detail?: Notified
}

/**
 * The objects that a notification says were created: one as a rule, none where it says something else (that one was removed, or that
 * notifications begin). Publish each under its own id, since S3 may notify twice: `options: { id: objectId(object) }`. Throws a SyntaxError
 * for a message that is no notification: it is kept, as whatever cannot become an event.
 */
export function objectsOf(message: Pick<Message, 'json'>): readonly BucketObject[] {
  return createdIn((message.json() ?? {}) as Notification)
}

function createdIn(notification: Notification): readonly BucketObject[] {
  const { Records, Event, Type, Message: inner } = notification
  if (Type === 'Notification' && typeof inner === 'string')
    return createdIn(JSON.parse(inner) as Notification)
  if (Event === 's3:TestEvent') return []
  // Other services send records, too.
  if (Array.isArray(Records) && Records.length > 0 && Records.every(isNotice))
    return Records.flatMap(({ eventName, eventTime, s3 }) =>
      eventName.replace(/^s3:/, '').startsWith('ObjectCreated:') ? [objectIn(s3, eventTime, true)] : [],
    )
  const detail = notification['detail-type']
  if (typeof detail === 'string' && notification.detail?.bucket !== undefined)
    return detail === 'Object Created' ? [objectIn(notification.detail, notification.time, false)] : []
  throw new SyntaxError('it is no event notification of S3')
}

function isNotice(record: unknown): record is Notice {
  if (typeof record !== 'object' || record === null) return false
  const { eventName, s3 } = record as Partial<Record<keyof Notice, unknown>>
  return typeof eventName === 'string' && typeof s3 === 'object' && s3 !== null
}

function objectIn(notified: Notified | undefined, time: unknown, isEncoded: boolean): BucketObject {
  const { bucket, object = {} } = notified ?? {}
  const etag = object['eTag'] ?? object['etag']
  const version = object['versionId'] ?? object['version-id']
  const { key, size = 0 } = object
  const modified = new Date(String(time))
  const isWhole =
    typeof bucket?.name === 'string' &&
    typeof key === 'string' &&
    typeof etag === 'string' &&
    Number.isFinite(size)
  if (!isWhole || Number.isNaN(modified.getTime()))
    throw new SyntaxError('it names no bucket, key, etag, size and time of an object')
  return {
    ...{ bucket: bucket.name as string, key: isEncoded ? decodeURIComponent(key.replaceAll('+', ' ')) : key },
    ...{ etag: bare(etag), ...versionOf(typeof version === 'string' ? version : undefined) },
    ...{ sizeBytes: Number(size), modifiedAt: modified.toISOString() },
  }
}
