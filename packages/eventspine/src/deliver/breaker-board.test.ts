// What a process knows of the breakers: of several readings that are under way the one that was asked for last.
import { expect, it } from 'vitest'
import { VirtualClock } from '../kernel/virtual-clock.js'
import { BreakerBoard } from './breaker-board.js'
import type { BreakerPort, BreakerState } from './port.js'
import type { ResolvedSubscription } from './subscription.js'

const breaker = { name: 'gateway', scope: 'service', rampMs: 1_000 } as NonNullable<
  ResolvedSubscription['breaker']
>
const place = { tenant: 'acme', key: null }
const open = { name: 'gateway', tenant: '', key: '', state: 'open', opensForMs: 500 } as BreakerState

it('does not take a reading for the newest because it came last', async () => {
  const answers: ((states: readonly BreakerState[]) => void)[] = []
  const port = {
    breakers: () => new Promise<readonly BreakerState[]>((resolve) => answers.push(resolve)),
  } as Partial<BreakerPort> as BreakerPort
  let changes = 0
  const board = new BreakerBoard(port, new VirtualClock(), () => changes++)
  board.start([breaker])
  const second = board.refresh()
  expect(board.passage(breaker, place)).toEqual({ kind: 'go', share: 1 })
  // The one that was asked for after it opened is here before the one from before.
  answers[1]?.([open])
  await second
  expect(board.passage(breaker, place)).toEqual({ kind: 'wait', ms: 500 })
  answers[0]?.([])
  await Promise.resolve()
  await Promise.resolve()
  expect(board.passage(breaker, place)).toEqual({ kind: 'wait', ms: 500 })
  const third = board.refresh()
  answers[2]?.([])
  await third
  expect(board.passage(breaker, place)).toEqual({ kind: 'go', share: 1 })
  expect(changes).toBe(2)
})
