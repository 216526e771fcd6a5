import { setImmediate as immediately } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from './virtual-clock.js'

describe('VirtualClock', () => {
  it('fires timers by due time, then by registration', async () => {
    const clock = new VirtualClock()
    const fired: string[] = []
    clock.after(20, () => fired.push('c'))
    clock.after(10, () => fired.push('a'))
    clock.after(10, () => fired.push('b'))
    clock.after(30, () => fired.push('late'))
    await clock.advance(20)
    expect(fired).toEqual(['a', 'b', 'c'])
    expect(clock.timers).toBe(1)
    expect(clock.nextTimerInMs()).toBe(10)
  })

  it('shows each timer its own moment, and the target afterwards', async () => {
    const clock = new VirtualClock({ startMs: 1_000 })
    const seen: number[] = []
    clock.after(5, () => seen.push(clock.now()))
    clock.after(7.5, () => seen.push(clock.monotonic()))
    await clock.advance(100)
    expect(seen).toEqual([1_005, 8])
    expect([clock.now(), clock.monotonic()]).toEqual([1_100, 100])
  })

  it('lets time pass before whoever waits for less than a clock can tell is called', async () => {
    const clock = new VirtualClock()
    const untilMs = 1.000_000_000_1
    let calls = 0
    const look = () => {
      if (++calls < 10 && clock.monotonic() < untilMs) clock.after(untilMs - clock.monotonic(), look)
    }
    clock.after(1, look)
    await clock.advance(5)
    expect(calls).toBe(2)
    // In the middle of a millisecond, too.
    await clock.advance(0.5)
    clock.after(Number.EPSILON / 4, () => calls++)
    await clock.advance(0.25)
    expect(calls).toBe(2)
  })

  it('lets awaiting code run between two timers, however long its chain of promises', async () => {
    const clock = new VirtualClock()
    const trace: string[] = []
    const program = async () => {
      await clock.sleep(10)
      for (let step = 0; step < 200; step++) await Promise.resolve()
      trace.push('deep')
      await clock.sleep(5)
      trace.push(`slept again at ${clock.monotonic()}`)
    }
    const done = program()
    clock.after(11, () => trace.push('next timer'))
    await clock.advance(15)
    await done
    expect(trace).toEqual(['deep', 'next timer', 'slept again at 15'])
  })

  it('fires timers that are registered on the way, inside the same span', async () => {
    const clock = new VirtualClock()
    let beats = 0
    const beat = () => {
      beats++
      clock.after(10, beat)
    }
    clock.after(10, beat)
    await clock.advance(100)
    expect(beats).toBe(10)
  })

  it('does not fire what was cancelled, nor sleep on when aborted', async () => {
    const clock = new VirtualClock()
    let fired = false
    const cancel = clock.after(10, () => {
      fired = true
    })
    cancel()
    cancel()
    const stop = new AbortController()
    const sleep = clock.sleep(1_000, stop.signal)
    stop.abort()
    await sleep
    await clock.sleep(1_000, stop.signal)
    expect(clock.timers).toBe(0)
    await clock.advance(20)
    expect(fired).toBe(false)
  })

  it('runs until a condition holds and stops there', async () => {
    const clock = new VirtualClock()
    let beats = 0
    const beat = () => {
      beats++
      clock.after(10, beat)
    }
    beat()
    expect(await clock.runUntil(() => beats === 4, 1_000)).toBe(true)
    expect(clock.monotonic()).toBe(30)
    expect(await clock.runUntil(() => beats === 400, 100)).toBe(false)
  })

  it('runs until idle, and says so when it is not', async () => {
    const clock = new VirtualClock()
    const sleepers = Promise.all([clock.sleep(50), clock.sleep(5_000)])
    expect(await clock.runUntilIdle(100)).toBe(false)
    expect(await clock.runUntilIdle(10_000)).toBe(true)
    await sleepers
    expect(clock.monotonic()).toBe(5_000)
    clock.after(Infinity, () => {})
    expect(await clock.runUntilIdle(10)).toBe(true)
  })

  it('shifts the wall clock without touching timers', async () => {
    const clock = new VirtualClock({ startMs: 0 })
    let firedAt = -1
    clock.after(10, () => {
      firedAt = clock.monotonic()
    })
    clock.shiftWall(3_600_000)
    expect(clock.now()).toBe(3_600_000)
    await clock.advance(10)
    expect(firedAt).toBe(10)
  })

  it('gives turns of the event loop when asked', async () => {
    const follow = async (clock: VirtualClock) => {
      let arrived = false
      clock.after(1, () => {
        void immediately().then(() => {
          arrived = true
        })
      })
      await clock.advance(1)
      return arrived
    }
    expect(await follow(new VirtualClock())).toBe(false)
    expect(await follow(new VirtualClock({ macrotaskTurns: 2 }))).toBe(true)
  })

  it('refuses a second mover and rejects with what an action throws', async () => {
    const clock = new VirtualClock()
    const first = clock.advance(10)
    await expect(clock.advance(10)).rejects.toThrow('being moved already')
    await first
    clock.after(1, () => {
      throw new Error('broken action')
    })
    await expect(clock.advance(5)).rejects.toThrow('broken action')
    await clock.advance(5)
  })
})
