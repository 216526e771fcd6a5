import { expect, it } from 'vitest'
import { VirtualClock } from './virtual-clock.js'
import { Wake } from './wake.js'

/** A wake in virtual time, and how its next wait went. */
function scene() {
  const clock = new VirtualClock()
  const wake = new Wake(clock)
  const wait = (ms: number) => {
    const waiting = { awake: false }
    void wake.wait(ms).then(() => {
      waiting.awake = true
    })
    return waiting
  }
  return { clock, wake, wait }
}

it('wakes who waits, and leaves no timer behind', async () => {
  const { clock, wake, wait } = scene()
  const waiting = wait(1_000)
  await clock.settle()
  expect(waiting.awake).toBe(false)
  wake.ring()
  await clock.settle()
  expect(waiting.awake).toBe(true)
  expect(clock.nextTimerInMs()).toBeNull()
})

it('keeps a ring for the next wait when nobody waits', async () => {
  const { clock, wake, wait } = scene()
  wake.ring()
  const waiting = wait(1_000)
  await clock.settle()
  expect(waiting.awake).toBe(true)
})

it('keeps one ring of many: the next wait answers at once, the one after it waits', async () => {
  const { clock, wake, wait } = scene()
  wake.ring()
  wake.ring()
  wait(1_000)
  await clock.settle()
  const second = wait(1_000)
  await clock.settle()
  expect(second.awake).toBe(false)
})

it('wakes by itself after the time given, and not earlier', async () => {
  const { clock, wait } = scene()
  const waiting = wait(1_000)
  await clock.advance(999)
  expect(waiting.awake).toBe(false)
  await clock.advance(1)
  expect(waiting.awake).toBe(true)
})

it('loses no ring between two waits', async () => {
  const { clock, wake } = scene()
  let rung = 0
  let seen = 0
  const follower = (async () => {
    for (let waits = 0; seen < 100 && waits < 1_000; waits++) {
      await wake.wait(1_000_000)
      seen = rung
    }
  })()
  while (rung < 100) {
    rung += 1
    wake.ring()
    if (rung % 3 === 0) await clock.settle()
  }
  await clock.settle()
  expect(seen).toBe(100)
  await follower
})
