// What every system carries: 300 bytes of JSON, with the number of the event and the moment it was meant to be sent.

export interface Payload {
  readonly n: number
  /** Intended moment of sending, by `monotonicMs`. */
  readonly sentAt: number
  readonly customer: string
  readonly note: string
}

export const payloadBytes = 300
const frameBytes = JSON.stringify({ n: 0, sentAt: 0, customer: '', note: '' }).length - 2
const filler = 'The quick brown fox jumps over the lazy dog. '.repeat(8)
const customers = 1_000

/** Milliseconds by a clock that all processes of one machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export function payloadOf(n: number, sentAtMs: number): Payload {
  const sentAt = Math.round(sentAtMs * 1000) / 1000
  const customer = `customer-${n % customers}`
  const used = frameBytes + String(n).length + String(sentAt).length + customer.length
  return { n, sentAt, customer, note: filler.slice(0, payloadBytes - used) }
}
