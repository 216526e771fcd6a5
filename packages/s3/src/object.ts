// An object of a bucket as events refer to it: a claim check, for events hold no objects.
import { createHash } from 'node:crypto'

export interface BucketObject {
  readonly bucket: string
  readonly key: string
  /** Without quotes. It changes with the content, and is not always a hash of it. */
  readonly etag: string
  /** Where the bucket keeps versions. */
  readonly versionId?: string | undefined
  readonly sizeBytes: number
  /** As its writer said; left out where a notification told of the object. */
  readonly contentType?: string | undefined
  /** RFC 3339. When it was written, by the clock of S3, to the second; of a notification, when it was sent. */
  readonly modifiedAt: string
}

/** The same for the same version of an object, told twice. Where the bucket keeps no versions, time and etag tell them apart. */
export function objectId({ bucket, key, versionId, etag, modifiedAt }: BucketObject): string {
  return hashOf([bucket, key, ...(versionId === undefined ? [etag, modifiedAt] : [versionId])]).slice(0, 32)
}

export const hashOf = (parts: readonly string[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex')

/** For people, in messages. */
export const addressOf = ({ bucket, key }: Pick<BucketObject, 'bucket' | 'key'>) => `s3://${bucket}/${key}`

export const bare = (etag: string) => etag.replace(/^"|"$/g, '')

/** A bucket without versions gives the one that it has the id "null". */
export const versionOf = (id: string | undefined) =>
  id === undefined || id === '' || id === 'null' ? {} : { versionId: id }
