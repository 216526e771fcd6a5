// What both directions are told of a queue, checked before anything runs.
import { EventspineError } from 'eventspine'

/** The same for each way to write it. Emulators have hosts that are none to URL (`sqs.us-east-1.127.0.0.1`): those as they stand. */
export const addressOf = (queueUrl: string) =>
  (URL.canParse(queueUrl) ? new URL(queueUrl).href : queueUrl).replace(/\/+$/, '')

export const isFifo = (queueUrl: string) => queueUrl.endsWith('.fifo')

export function checkQueueUrl(name: string, queueUrl: unknown): void {
  if (typeof queueUrl === 'string' && /^https?:\/\/[^/]+\/.+$/.test(queueUrl)) return
  throw invalid(
    name,
    `queueUrl is ${JSON.stringify(queueUrl)}; write the address of the queue, such as "https://sqs.eu-central-1.amazonaws.com/123456789012/orders"`,
  )
}

export function checkWhole(name: string, option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw invalid(
    name,
    `${option} is ${value}; write a whole number from ${min} to ${max.toLocaleString('en')}`,
  )
}

const invalid = (name: string, message: string) =>
  new EventspineError('APP_INVALID', `"${name}": ${message}.`)
