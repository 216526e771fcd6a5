// One run over a bucket, round by round. A page of its listing and the same range of the source's ledger are merged: what only the bucket
// has is taken, what only the ledger has is gone. Once it has caught up, a look costs two calls, however many objects there are.
import { HeadObjectCommand, type HeadObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3'
import { EventspineError } from 'eventspine'
import { abortedAfter, type SourceItem, type SourceRun } from 'eventspine/source'
import { answerMsMax } from './client.js'
import { failureOf, isGone, isRefused, isThrottled } from './failure.js'
import { isBehind, type ListedObject, type Place, pageBehind } from './listing.js'
import { addressOf, type BucketObject, bare, objectId, versionOf } from './object.js'

export interface WatchedBucket extends Place {
  readonly pattern: RegExp | undefined
  readonly lookMs: number
}

/** Of the ledger, for one page: more of them have gone than a page has, and come at the next. */
const itemsPerPageMax = 5_000
/** Asked for and stored at once. */
const objectsInHandMax = 16
/** Kept of a round, to be told at its end. */
const faultsMax = 100
const pauseMsMin = 250
const pauseMsMax = 15_000
/** Within three quarters of a minute; then people are told. */
const throttledTriesMax = 9

type Head = Pick<
  HeadObjectCommandOutput,
  'ETag' | 'VersionId' | 'ContentLength' | 'ContentType' | 'LastModified'
>

interface Seen {
  /** The page reaches up to here; null for the end. */
  readonly upTo: string | null
  readonly taken: number
}

export class Looks {
  readonly #client: S3Client
  readonly #bucket: WatchedBucket
  readonly #run: SourceRun
  /** Behind it nothing was found when it was looked there last. */
  #highest = ''
  #hasCaughtUp = false
  #faults: unknown[] = []

  constructor(client: S3Client, bucket: WatchedBucket, run: SourceRun) {
    this.#client = client
    this.#bucket = bucket
    this.#run = run
  }

  /** Until its signal aborts. Throws where the bucket cannot be listed, and at the end of a round in which an object could not be read. */
  async run(): Promise<void> {
    while (!this.#run.signal.aborted) await this.#round()
  }

  async #round(): Promise<void> {
    const { signal, pause } = this.#run
    this.#faults = []
    for (let after: string | null = ''; after !== null; ) {
      const { upTo, taken } = await this.#page(after)
      if (signal.aborted) return
      after = upTo
      if (after === null) break
      // What came while nobody looked is behind it: on without a pause.
      if (!this.#hasCaughtUp || taken > 0) continue
      await this.#lookBehind()
      await pause(this.#bucket.lookMs)
    }
    this.#hasCaughtUp = true
    if (this.#faults.length > 0) throw this.#faults[0]
    await pause(this.#bucket.lookMs)
  }

  // Names often begin with a time: what is new stands last, and need not wait for its turn in the round.
  async #lookBehind(): Promise<void> {
    for (let after: string | null = this.#highest; after !== null && !this.#run.signal.aborted; )
      after = (await this.#page(after)).upTo
  }

  async #page(after: string): Promise<Seen> {
    const { signal, ledger } = this.#run
    const { prefix } = this.#bucket
    const page = await this.#calmly(() => pageBehind(this.#client, this.#bucket, after, signal))
    if (page === undefined) return { upTo: null, taken: 0 }
    const last = page.objects.at(-1)?.key
    const end = page.isLast ? null : (last ?? null)
    const known = await this.#calmly(() => ledger.read({ after, upTo: end, prefix, limit: itemsPerPageMax }))
    if (known === undefined) return { upTo: null, taken: 0 }
    // Where the ledger has more than was asked for, the two are compared as far as both are known.
    const upTo = known.length < itemsPerPageMax ? end : (known.at(-1)?.item ?? end)
    const listed = page.objects.filter(({ key }) => upTo === null || !isBehind(key, upTo))
    const versions = new Map(known.map(({ item, version }) => [item, version]))
    const fresh = listed.filter((each) => this.#isWanted(each) && versions.get(each.key) !== stateOf(each))
    const taken = await this.#take(fresh)
    for (const { key } of listed) versions.delete(key)
    const gone = [...versions].map(([item, version]) => ({ item, version }))
    if (taken.length + gone.length > 0) await this.#calmly(() => ledger.note(taken, gone))
    if (page.isLast) this.#highest = last ?? after
    return { upTo, taken: taken.length }
  }

  // Not by test(): a pattern with the flag g remembers where it was. What a console shows as a folder is an empty object.
  #isWanted({ key, sizeBytes }: ListedObject): boolean {
    if (key.endsWith('/') && sizeBytes === 0) return false
    return this.#bucket.pattern === undefined || key.search(this.#bucket.pattern) >= 0
  }

  /** Some at once. One that cannot be read holds back no other, and is told at the end of the round. */
  async #take(objects: readonly ListedObject[]): Promise<readonly SourceItem[]> {
    const taken: SourceItem[] = []
    const left = objects.values()
    const hand = async () => {
      for (const object of left) {
        if (this.#run.signal.aborted) return
        try {
          const item = await this.#takeOne(object)
          if (item !== undefined) taken.push(item)
        } catch (error) {
          this.#tell(object, error)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(objectsInHandMax, objects.length) }, hand))
    return taken
  }

  #tell({ key }: ListedObject, error: unknown): void {
    if (this.#run.signal.aborted || this.#faults.length >= faultsMax) return
    this.#faults.push(error)
    this.#run.logger.warn('an object could not be taken, and is tried again in the next round', {
      ...{ object: addressOf({ bucket: this.#bucket.bucket, key }), error },
    })
  }

  async #takeOne(listed: ListedObject): Promise<SourceItem | undefined> {
    const { key } = listed
    if (key.includes('\0'))
      throw new EventspineError(
        'REQUEST_INVALID',
        `The key ${JSON.stringify(key)} has a NUL, which the log does not take.`,
      )
    const object = await this.#objectOf(listed)
    if (object === undefined) return undefined
    const message = {
      ...{ id: objectId(object), headers: { bucket: object.bucket, key } },
      body: JSON.stringify(object),
    }
    const receipt = await this.#calmly(() => this.#run.receive(message))
    if (receipt === undefined) return undefined
    // Of an object that was overwritten since it was listed, what was found then.
    const isAsListed = object.etag === listed.etag
    return {
      item: key,
      version: isAsListed
        ? stateOf(listed)
        : stateOf({ etag: object.etag, modifiedAt: new Date(object.modifiedAt) }),
    }
  }

  /** As it is now; undefined where somebody has removed it since it was listed. */
  async #objectOf(listed: ListedObject): Promise<BucketObject | undefined> {
    const { bucket } = this.#bucket
    const { key } = listed
    const head = await this.#headOf(key, listed)
    if (head === undefined) return undefined
    return {
      ...{ bucket, key, etag: bare(head.ETag ?? listed.etag), ...versionOf(head.VersionId) },
      sizeBytes: head.ContentLength ?? listed.sizeBytes,
      ...(head.ContentType !== undefined && { contentType: head.ContentType }),
      modifiedAt: toSecond(head.LastModified ?? listed.modifiedAt).toISOString(),
    }
  }

  // Where S3 refuses it, what the listing says has to do: who opens the object is refused, too, and is a dead letter that can be redriven.
  // A source that waits for rights to one object would hold back the news of all.
  async #headOf(key: string, listed: ListedObject): Promise<Head | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#bucket.bucket, Key: key })
    return await this.#calmly(async () => {
      try {
        const abortSignal = abortedAfter(answerMsMax, this.#run.signal)
        return await this.#client.send(command, { abortSignal })
      } catch (error) {
        const failure = failureOf(error)
        if (isGone(failure)) return undefined
        if (!isRefused(failure)) throw error
        this.#run.logger.warn('S3 does not say more of an object than its listing does', {
          ...{ object: addressOf({ bucket: this.#bucket.bucket, key }), error },
        })
        return { ETag: listed.etag, LastModified: listed.modifiedAt }
      }
    })
  }

  /** Again, later, while the log is away, and some times where S3 asks for fewer calls. Undefined when this is to stop meanwhile. */
  async #calmly<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
    for (let failures = 1; ; failures++) {
      try {
        return await call()
      } catch (error) {
        if (this.#run.signal.aborted) return undefined
        const isAsked = isThrottled(failureOf(error)) && failures < throttledTriesMax
        if (!isPassing(error) && !isAsked) throw error
        await this.#run.pause(waitMs(error, failures))
      }
    }
  }
}

const waitMs = (error: unknown, failures: number) =>
  (error instanceof EventspineError ? error.retryAfterMs : undefined) ??
  Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(failures - 1, 10))

/** By which an object is seen to change: two writes of the same content within a second are one. */
const stateOf = ({ etag, modifiedAt }: Pick<ListedObject, 'etag' | 'modifiedAt'>) =>
  `${etag} ${toSecond(modifiedAt).getTime() / 1_000}`

// A listing tells more of it than a header does.
const toSecond = (time: Date) => new Date(Math.floor(time.getTime() / 1_000) * 1_000)

const passing = new Set(['OVERLOADED', 'UNAVAILABLE', 'UNKNOWN_OUTCOME', 'NOT_STARTED'])

const isPassing = (error: unknown) => error instanceof EventspineError && passing.has(error.code)
