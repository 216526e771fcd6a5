// From a bucket into the log: each object that is in it becomes one event, which refers to the object.
import { type CustomSource, checkOptions, customSource, type Translation } from 'eventspine/source'
import { type BucketClient, openClient } from './client.js'
import { Looks } from './look.js'
import type { BucketObject } from './object.js'
import { checkBucket, checkWhole, invalid } from './options.js'

export interface BucketSourceOptions {
  /** Lower case, digits and dashes, at most 80 characters. With the name the source knows what it has taken: under a new one it
   *  takes all again. */
  readonly name: string
  /** Of S3, or of a store that speaks like it. Needs the rights to list it and to get its objects; nothing in it is changed. */
  readonly bucket: string
  readonly client?: BucketClient
  /** What an object becomes; null for one that is of no interest. It must not read the object: let a handler do that. What it throws
   *  makes the object a dead letter of `source-NAME`. */
  readonly to: (object: BucketObject) => Translation | Promise<Translation>
  /** Only keys that begin with it, such as `incoming/`. Default: all. */
  readonly prefix?: string
  /** Only keys that it matches, such as `/\.csv$/`. */
  readonly pattern?: RegExp
  /** Between two looks, of at most two listing calls each. 100 ms to an hour. Default 5,000. */
  readonly lookMs?: number
  readonly description?: string
}

const lookMsDefault = 5_000
const lookMsMin = 100
const lookMsMost = 3_600_000
/** A limit of S3. */
const keyBytesMax = 1_024

const optionNames: Readonly<Record<keyof BucketSourceOptions, true>> = {
  name: true,
  bucket: true,
  client: true,
  to: true,
  prefix: true,
  pattern: true,
  lookMs: true,
  description: true,
}

/**
 * Objects of a bucket, run by one worker of the cell. The same version of an object is one event, also where its worker is killed. List
 * it in `defineApp({ sources: […] })`. Throws APP_INVALID.
 */
export function bucketSource(options: BucketSourceOptions): CustomSource {
  checkOptions('bucketSource', options, optionNames)
  const { name, bucket, client, to, prefix = '', pattern, lookMs = lookMsDefault, description } = options
  checkBucket(name, bucket)
  checkWhole(name, 'lookMs', lookMs, lookMsMin, lookMsMost)
  if (typeof prefix !== 'string' || prefix.startsWith('/') || Buffer.byteLength(prefix) > keyBytesMax)
    throw invalid(
      name,
      `prefix is ${JSON.stringify(prefix)}; write what keys begin with, such as "incoming/", without a slash before it`,
    )
  if (pattern !== undefined && !(pattern instanceof RegExp))
    throw invalid(name, 'pattern must be a regular expression, such as /\\.csv$/')
  return customSource({
    ...{ name, where: 'one-worker' },
    ...(description !== undefined && { description }),
    to: (message) => to(message.json() as BucketObject),
    async run(run) {
      const opened = openClient(client)
      try {
        await new Looks(opened.client, { bucket, prefix, pattern, lookMs }, run).run()
      } finally {
        opened.close()
      }
    },
  })
}
