// Chance enters the engine here and nowhere else. A seeded source makes a run repeatable.
import { randomFillSync } from 'node:crypto'

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Fills the first `length` of `bytes`, by default all, and returns them. */
  fill(bytes: Uint8Array, length?: number): Uint8Array
}

// One system call per 64 KiB instead of one per id.
const pool = new Uint8Array(65_536)
let used = pool.length

export const systemRandom: Random = {
  next: () => Math.random(),
  fill(bytes, length = bytes.length) {
    if (length > pool.length) return randomFillSync(bytes, 0, length)
    if (used + length > pool.length) {
      randomFillSync(pool)
      used = 0
    }
    // A loop, since a view on the pool costs more than copying the few bytes of an id.
    for (let index = 0; index < length; index++) bytes[index] = pool[used + index] as number
    used += length
    return bytes
  },
}

/** A repeatable source (mulberry32). Same seed, same sequence. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return {
    next,
    fill(bytes, length = bytes.length) {
      for (let index = 0; index < length; index++) bytes[index] = Math.floor(next() * 256)
      return bytes
    },
  }
}
