import { nextTick } from 'node:process'
import { expect, it } from 'vitest'
import { Pace } from './pace.js'

const behindMicrotasks = () => new Promise<void>((resolve) => nextTick(resolve))

it('lets those of one second go at once, and the others one by one', () => {
  const pace = new Pace(10)
  expect(Array.from({ length: 13 }, () => Math.round(pace.turnInMs(0)))).toEqual([
    ...Array(10).fill(0),
    100,
    200,
    300,
  ])
  expect(pace.isIdle(1_200)).toBe(false)
  // Whoever rests gathers no more than one second of them.
  expect(pace.isIdle(1_300)).toBe(true)
  expect(Array.from({ length: 11 }, () => Math.round(pace.turnInMs(60_000)))).toEqual([
    ...Array(10).fill(0),
    100,
  ])
})

it('lets those that wait go in the order in which they came, whatever their timers do', async () => {
  const pace = new Pace(10)
  const pauses: { readonly ms: number; readonly end: () => void }[] = []
  const pause = (ms: number) => new Promise<void>((end) => void pauses.push({ ms: Math.round(ms), end }))
  let nowMs = 0
  for (let n = 0; n < 10; n++) expect(pace.turn(() => nowMs, pause)).toBeUndefined()
  const gone: number[] = []
  const go = (n: number) => void pace.turn(() => nowMs, pause)?.then(() => gone.push(n))
  for (const n of [1, 2]) go(n)
  await behindMicrotasks()
  // Its turn has come, and those before it still wait.
  nowMs = 5_000
  go(3)
  for (let n = 0; n < 3; n++) {
    pauses[n]?.end()
    await behindMicrotasks()
  }
  expect(gone).toEqual([1, 2, 3])
  expect(pauses.map(({ ms }) => ms)).toEqual([100, 0, 0])
  expect(pace.turn(() => nowMs, pause)).toBeUndefined()
})
