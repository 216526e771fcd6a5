import { describe, expect, it } from 'vitest'
import { seededRandom, systemRandom } from './random.js'

const take = (seed: number, count: number) => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => random.next())
}

describe('seededRandom', () => {
  it('is frozen: a seed in a failed run must give the same run in a later version', () => {
    const whole = (seed: number) => take(seed, 4).map((value) => value * 2 ** 32)
    expect(whole(1)).toEqual([2693262067, 11749833, 2265367787, 4213581821])
    expect(whole(2 ** 32 - 1)).toEqual([3850105811, 813802916, 3073704848, 4054706436])
    expect([...seededRandom(42).fill(new Uint8Array(8))]).toEqual([153, 114, 218, 171, 44, 134, 69, 159])
  })

  it('stays in [0, 1) and spreads', () => {
    const values = take(3, 10_000)
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    const tenths = new Set(values.map((value) => Math.floor(value * 10)))
    expect(tenths.size).toBe(10)
  })

  it('differs with the seed', () => {
    expect(take(1, 4)).not.toEqual(take(2, 4))
  })
})

describe('systemRandom', () => {
  // Bytes come from a pool of 4 KiB: at its end, and for more than it holds, they must be as new as at its start.
  it.each([1, 16, 4_095, 4_096, 4_097, 10_000])('fills all of %i bytes, again and again', (length) => {
    const seen = new Set<string>()
    for (let round = 0; round < 20; round++) {
      const bytes = systemRandom.fill(new Uint8Array(length))
      expect(bytes.length).toBe(length)
      seen.add(Buffer.from(bytes.subarray(-16)).toString('hex'))
    }
    expect(seen.size).toBeGreaterThan(length < 16 ? 1 : 19)
  })

  it('never hands out the same 16 bytes twice', () => {
    const count = 20_000
    const seen = new Set(
      Array.from({ length: count }, () => Buffer.from(systemRandom.fill(new Uint8Array(16))).toString('hex')),
    )
    expect(seen.size).toBe(count)
  })
})
