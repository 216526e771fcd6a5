// Who speaks to S3: a client of the caller's, or one that is made of its settings when it is needed.
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'

/** A client, which stays the caller's, or what one is made of: `{ region, endpoint, forcePathStyle }`. Left out, region and
 *  credentials are those of the environment. */
export type BucketClient = S3Client | S3ClientConfig

/** For one answer without a body, or with a listing. */
export const answerMsMax = 10_000

const isClient = (given: BucketClient): given is S3Client =>
  'send' in given && typeof given.send === 'function'

export interface OpenedClient {
  readonly client: S3Client
  /** Of a client of the caller's nothing is closed. */
  close(): void
}

export function openClient(given: BucketClient = {}): OpenedClient {
  if (isClient(given)) return { client: given, close: () => {} }
  const client = new S3Client(given)
  return { client, close: () => client.destroy() }
}
