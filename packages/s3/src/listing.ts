// A page of a bucket's keys, in the order of their UTF-8 bytes, behind any key.
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { EventspineError } from 'eventspine'
import { abortedAfter } from 'eventspine/source'
import { answerMsMax } from './client.js'
import { bare } from './object.js'

export interface ListedObject {
  readonly key: string
  readonly etag: string
  readonly sizeBytes: number
  readonly modifiedAt: Date
}

export interface Page {
  readonly objects: readonly ListedObject[]
  readonly isLast: boolean
}

export interface Place {
  readonly bucket: string
  readonly prefix: string
}

/** A limit of S3. */
export const pageObjectsMax = 1_000

export const isBehind = (key: string, other: string) =>
  Buffer.compare(Buffer.from(key), Buffer.from(other)) > 0

/** Throws what S3 answers, and REQUEST_INVALID where it lists in another order: what is behind a key could not be asked for then. */
export async function pageBehind(
  client: S3Client,
  { bucket, prefix }: Place,
  after: string,
  signal: AbortSignal,
): Promise<Page> {
  const command = new ListObjectsV2Command({
    ...{ Bucket: bucket, Prefix: prefix, MaxKeys: pageObjectsMax },
    // Else a key with a control character would break the XML of the answer.
    EncodingType: 'url',
    ...(after !== '' && { StartAfter: after }),
  })
  const abortSignal = abortedAfter(answerMsMax, signal)
  const { Contents = [], IsTruncated, EncodingType } = await client.send(command, { abortSignal })
  const objects = Contents.map(({ Key = '', ETag = '', Size = 0, LastModified = new Date(0) }) => ({
    ...{ key: EncodingType === 'url' ? decoded(Key) : Key, etag: bare(ETag) },
    ...{ sizeBytes: Size, modifiedAt: LastModified },
  }))
  let before = after
  for (const { key } of objects) {
    if (!isBehind(key, before))
      throw new EventspineError(
        'REQUEST_INVALID',
        `The bucket ${bucket} lists ${JSON.stringify(key)} behind ${JSON.stringify(before)}: not in the order of UTF-8, as directory buckets do. Take a general purpose bucket, or its notifications.`,
      )
    before = key
  }
  return { objects, isLast: !IsTruncated || objects.length === 0 }
}

const decoded = (key: string) => decodeURIComponent(key.replaceAll('+', ' '))
