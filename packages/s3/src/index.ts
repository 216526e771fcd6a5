// Eventspine beside S3: objects of a bucket become events, and handlers open what events refer to.
export type { BucketClient } from './client.js'
export { objectsOf } from './notification.js'
export { type BucketObject, objectId } from './object.js'
export { objectFile, openObject } from './reading.js'
export { type BucketSourceOptions, bucketSource } from './source.js'
