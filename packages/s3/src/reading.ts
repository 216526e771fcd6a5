// Opens what an event refers to: the version that it says, or nothing. Read in ranges, so that a slow reader holds no connection, and one
// that is interrupted goes on at any byte.
import { basename } from 'node:path/posix'
import { Readable } from 'node:stream'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { TransientError } from 'eventspine'
import { abortedAfter, type ImportableFile } from 'eventspine/source'
import { errorOf, failureOf } from './failure.js'
import { addressOf, type BucketObject, hashOf } from './object.js'

/** Held in memory for each reading. */
const rangeBytes = 4 * 1024 * 1024
const rangeMsMax = 60_000
/** Of a range whose answer broke off; what S3 refuses, the client of the SDK has tried again already. */
const rangeTriesMax = 3

type Claimed = Pick<BucketObject, 'bucket' | 'key' | 'etag' | 'versionId' | 'sizeBytes'>

/**
 * Its content as a stream, from a byte on. Rejects, and the stream fails, with a PermanentError where the object is gone or is another
 * version than the one that the event says, a TimeoutError or a TransientError where S3 does not answer well.
 * @param options.fromBytes default 0
 */
export async function openObject(
  client: S3Client,
  object: Claimed,
  options: { readonly fromBytes?: number; readonly signal?: AbortSignal } = {},
): Promise<Readable> {
  const ranges = rangesOf(client, object, options.fromBytes ?? 0, options.signal)
  // Asked for here, so that whoever is refused has no stream yet.
  const first = await ranges.next()
  return Readable.from(behind(first, ranges), { objectMode: false })
}

async function* behind(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array> {
  if (first.done) return
  yield first.value
  yield* rest
}

/**
 * What `spine.sources.importFile` takes: the records of an object become events, without a copy of it. The same key with the same etag is one
 * import, which goes on where it was.
 */
export function objectFile(
  client: S3Client,
  object: Claimed,
  options: { readonly signal?: AbortSignal } = {},
): ImportableFile {
  const { bucket, key, etag, sizeBytes } = object
  return {
    name: basename(key),
    sizeBytes,
    hash: async () => hashOf([bucket, key, etag, String(sizeBytes)]),
    read: (fromBytes) => rangesOf(client, object, fromBytes, options.signal),
  }
}

async function* rangesOf(
  client: S3Client,
  object: Claimed,
  fromBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  // An empty one has no range, and is asked for all the same: it may be gone.
  if (object.sizeBytes === 0) return void (await rangeOf(client, object, undefined, signal))
  for (let at = fromBytes; at < object.sizeBytes; at += rangeBytes) {
    const end = Math.min(at + rangeBytes, object.sizeBytes)
    yield await rangeOf(client, object, { at, end }, signal)
  }
}

interface Range {
  readonly at: number
  readonly end: number
}

async function rangeOf(
  client: S3Client,
  object: Claimed,
  range: Range | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  for (let tries = 1; ; tries++) {
    try {
      return await answerOf(client, object, range, signal)
    } catch (error) {
      const failure = failureOf(error)
      // An answer that S3 gave is not one that broke off.
      if (tries < rangeTriesMax && failure.status === undefined && !signal?.aborted) continue
      throw error instanceof TransientError ? error : errorOf(failure, addressOf(object))
    }
  }
}

async function answerOf(
  client: S3Client,
  object: Claimed,
  range: Range | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const command = new GetObjectCommand({
    ...{ Bucket: object.bucket, Key: object.key, IfMatch: `"${object.etag}"` },
    ...(object.versionId !== undefined && { VersionId: object.versionId }),
    ...(range !== undefined && { Range: `bytes=${range.at}-${range.end - 1}` }),
  })
  const abortSignal = abortedAfter(rangeMsMax, signal)
  const { Body } = await client.send(command, { abortSignal })
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0)
  const wanted = range === undefined ? 0 : range.end - range.at
  if (bytes.length === wanted) return bytes
  throw new TransientError(
    `S3: ${addressOf(object)}: ${bytes.length} bytes came where ${wanted} were asked for`,
  )
}
