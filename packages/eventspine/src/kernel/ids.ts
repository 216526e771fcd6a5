// Identifiers: UUID version 7 (RFC 9562) for events and workers, W3C trace context ids for spans.
import type { Clock } from './clock.js'
import type { Random } from './random.js'

// 24 bytes: the two ids of a trace context. Buffer's own hex leaves one flat string; one put together from table
// entries took three times as long, and its parts stayed in memory with it.
const scratch = Buffer.alloc(24)

/** A new UUID v7: 48 bits of wall milliseconds, then chance. Sorts by time, but is never the log's order. */
export function uuidv7(clock: Clock, random: Random): string {
  random.fill(scratch, 16)
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
  const text = scratch.toString('hex', 0, 16)
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`
}

/** `bytes` random bytes, at most 24, as lower-case hex. */
export function randomHex(bytes: 8 | 16 | 24, random: Random): string {
  random.fill(scratch, bytes)
  return scratch.toString('hex', 0, bytes)
}
