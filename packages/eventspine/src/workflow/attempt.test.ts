import { expect, test } from 'vitest'
import { TimeoutError } from '../handle/index.js'
import { Cancellation } from '../kernel/index.js'
import { VirtualClock } from '../kernel/virtual-clock.js'
import { silentLogger } from '../observe/log.js'
import { attempt } from './attempt.js'

test.each([
  { deadlineMs: 30_000, lastWordAfterMs: 4_000, heard: true },
  { deadlineMs: 30_000, lastWordAfterMs: 6_000, heard: false },
  { deadlineMs: 1_000, lastWordAfterMs: 900, heard: true },
  { deadlineMs: 1_000, lastWordAfterMs: 1_100, heard: false },
])(
  'what a step says $lastWordAfterMs ms after its deadline of $deadlineMs ms: $heard',
  async ({ deadlineMs, lastWordAfterMs, heard }) => {
    const clock = new VirtualClock()
    const outcome = attempt({
      step: 'pay',
      action: async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await clock.sleep(lastWordAfterMs)
        return 'charge 7'
      },
      context: { idempotencyKey: 'k', undoes: undefined, attempt: 1, log: silentLogger },
      ...{ deadlineMs, cancellation: new Cancellation(), clock },
    })
    await clock.advance(60_000)
    expect(await outcome).toEqual(
      heard ? { ok: true, json: '"charge 7"' } : { ok: false, error: expect.any(TimeoutError) },
    )
  },
)
