import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.js'

const longMs = 3_600_000

describe('systemClock', () => {
  it('sleeps, and wakes without being told', async () => {
    const before = systemClock.monotonic()
    await systemClock.sleep(1)
    expect(systemClock.monotonic()).toBeGreaterThan(before)
  })

  // If one of these slept, the test would run into its time limit of seconds: the sleep is an hour.
  it('does not sleep when it is told to stop before', async () => {
    await systemClock.sleep(longMs, AbortSignal.abort())
  })

  it('wakes at once when it is told to stop, without an error', async () => {
    const stop = new AbortController()
    const sleeping = systemClock.sleep(longMs, stop.signal)
    stop.abort(new Error("a reason is nobody's business here"))
    await expect(sleeping).resolves.toBeUndefined()
  })

  it('leaves no listener on the signal, however it ended', async () => {
    const stop = new AbortController()
    for (let round = 0; round < 20; round++) await systemClock.sleep(0, stop.signal)
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
    const sleeping = systemClock.sleep(longMs, stop.signal)
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1)
    stop.abort()
    await sleeping
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
  })

  it('calls once after the time, and not at all when cancelled', async () => {
    let called = 0
    const cancelled: string[] = []
    const cancel = systemClock.after(0, () => cancelled.push('called'))
    cancel()
    cancel()
    await new Promise<void>((resolve) => {
      systemClock.after(1, () => {
        called++
        resolve()
      })
    })
    expect(called).toBe(1)
    expect(cancelled).toEqual([])
  })
})
