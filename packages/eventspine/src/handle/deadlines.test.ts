import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../kernel/virtual-clock.js'
import { Deadlines, type Timed } from './deadlines.js'

class Timer implements Timed {
  expiresAt = 0
  before: Timed | undefined = undefined
  after: Timed | undefined = undefined
  expiredAt: number | undefined
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  expire(): void {
    this.expiredAt = this.#clock.monotonic()
  }
}

const steps = fc.array(
  fc.record({
    waitMs: fc.integer({ min: 0, max: 40 }),
    ms: fc.constantFrom(10, 25, 100),
    removeAfter: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  }),
  { maxLength: 40 },
)

test('each that is not removed expires once, when its time has come', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const clock = new VirtualClock()
      const deadlines = new Deadlines(clock)
      const timers: { timer: Timer; ms: number; beganAt: number; removedAt: number | undefined }[] = []
      for (const [index, { waitMs, ms }] of plan.entries()) {
        await clock.advance(waitMs)
        const timer = new Timer(clock)
        timers.push({ timer, ms, beganAt: clock.monotonic(), removedAt: undefined })
        deadlines.add(timer, ms)
        for (const [at, each] of timers.entries()) {
          const removeAfter = plan[at]?.removeAfter
          if (removeAfter === undefined || at + removeAfter !== index) continue
          deadlines.remove(each.timer, each.ms)
          each.removedAt = clock.monotonic()
        }
      }
      await clock.advance(1_000)
      for (const { timer, ms, beganAt, removedAt } of timers) {
        const due = beganAt + ms
        if (removedAt !== undefined && removedAt < due) expect(timer.expiredAt).toBeUndefined()
        else expect(timer.expiredAt).toBe(due)
      }
    }),
    { numRuns: 200 },
  )
})

test('one that is removed twice, or after it expired, takes no other with it', async () => {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  const [first, second, third] = [new Timer(clock), new Timer(clock), new Timer(clock)]
  deadlines.add(first, 10)
  deadlines.add(second, 10)
  await clock.advance(5)
  deadlines.add(third, 10)
  deadlines.remove(first, 10)
  deadlines.remove(first, 10)
  await clock.advance(5)
  deadlines.remove(second, 10)
  await clock.advance(5)
  expect([first.expiredAt, second.expiredAt, third.expiredAt].map((at) => at !== undefined)).toEqual([
    false,
    true,
    true,
  ])
})
