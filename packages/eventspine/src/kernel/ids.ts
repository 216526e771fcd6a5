// Identifiers: UUID version 7 (RFC 9562) for events and workers, W3C trace context ids for spans.
import type { Clock } from './clock.js'
import type { Random } from './random.js'

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
const scratch = new Uint8Array(16)

/** A new UUID v7: 48 bits of wall milliseconds, then chance. Sorts by time, but is never the log's order. */
export function uuidv7(clock: Clock, random: Random): string {
  random.fill(scratch)
  const now = clock.now()
  const high = Math.floor(now / 4294967296)
  scratch[0] = (high >>> 8) & 255
  scratch[1] = high & 255
  scratch[2] = (now >>> 24) & 255
  scratch[3] = (now >>> 16) & 255
  scratch[4] = (now >>> 8) & 255
  scratch[5] = now & 255
  scratch[6] = 0x70 | ((scratch[6] ?? 0) & 15)
  scratch[8] = 0x80 | ((scratch[8] ?? 0) & 63)
  const text = toHex(scratch, 16)
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`
}

/** `bytes` random bytes as lower-case hex. */
export function randomHex(bytes: 8 | 16, random: Random): string {
  random.fill(scratch)
  return toHex(scratch, bytes)
}

function toHex(bytes: Uint8Array, length: number): string {
  let text = ''
  for (let index = 0; index < length; index++) text += hex[bytes[index] ?? 0]
  return text
}
