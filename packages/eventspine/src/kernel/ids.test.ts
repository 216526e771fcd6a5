import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.js'
import { randomHex, uuidv7 } from './ids.js'
import { seededRandom, systemRandom } from './random.js'

const at = (ms: number) => ({ ...systemClock, now: () => ms })

describe('uuidv7', () => {
  it('has the form of RFC 9562: milliseconds, version 7, variant 10', () => {
    // The moment of the example in RFC 9562, appendix A.6.
    const id = uuidv7(at(0x017f22e279b0), systemRandom)
    expect(id).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('holds the whole of the time, also beyond 32 bits and at the end of the 48', () => {
    for (const ms of [0, 1, 2 ** 32 - 1, 2 ** 32, 1_700_000_000_000, 2 ** 47, 2 ** 48 - 1]) {
      const id = uuidv7(at(ms), systemRandom)
      expect(Number.parseInt(id.slice(0, 13).replace('-', ''), 16)).toBe(ms)
    }
  })

  it('sorts by the millisecond', () => {
    const begin = 1_700_000_000_000
    const ids = Array.from({ length: 5_000 }, (_, index) => uuidv7(at(begin + index), systemRandom))
    expect([...ids].sort()).toEqual(ids)
  })

  it('is never the same, even when time stands still', () => {
    const count = 100_000
    const ids = new Set(Array.from({ length: count }, () => uuidv7(at(1_700_000_000_000), systemRandom)))
    expect(ids.size).toBe(count)
  })

  it('repeats with the seed, so that a simulation does', () => {
    const ids = () => {
      const random = seededRandom(7)
      return Array.from({ length: 3 }, () => uuidv7(at(1_700_000_000_000), random))
    }
    expect(ids()).toEqual(ids())
    expect(new Set(ids()).size).toBe(3)
  })
})

describe('randomHex', () => {
  it('is as long as asked for, and new each time', () => {
    expect(randomHex(8, systemRandom)).toMatch(/^[0-9a-f]{16}$/)
    expect(randomHex(16, systemRandom)).toMatch(/^[0-9a-f]{32}$/)
    expect(new Set(Array.from({ length: 10_000 }, () => randomHex(8, systemRandom))).size).toBe(10_000)
  })
})
