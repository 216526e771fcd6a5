// What a bucket's name and the options of its source must be, checked before anything runs.
import { EventspineError } from 'eventspine'

export const invalid = (name: string, message: string) =>
  new EventspineError('APP_INVALID', `source "${name}": ${message}.`)

const bucketForm = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/

export function checkBucket(name: string, bucket: unknown): void {
  // Access points are named by their address.
  if (typeof bucket === 'string' && (bucketForm.test(bucket) || bucket.startsWith('arn:'))) return
  throw invalid(
    name,
    `bucket is ${JSON.stringify(bucket)}; write the name of a bucket, such as "acme-uploads", and what its keys begin with in prefix`,
  )
}

export function checkWhole(name: string, option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw invalid(
    name,
    `${option} is ${value}; write a whole number from ${min} to ${max.toLocaleString('en')}`,
  )
}
