import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { abortedAfter } from './aborted-after.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const aborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)))

test('aborts in time, also when garbage is collected meanwhile', async () => {
  const { signal } = new AbortController()
  const all = Array.from({ length: 20 }, () => aborted(abortedAfter(300, signal)))
  for (let round = 0; round < 5; round++) {
    await pause(20)
    collectGarbage()
  }
  for (const reason of await Promise.all(all)) expect(reason).toMatchObject({ name: 'TimeoutError' })
})

test('aborts with the other signal, for its reason', async () => {
  const other = new AbortController()
  const reason = aborted(abortedAfter(60_000, other.signal))
  other.abort('enough')
  expect(await reason).toBe('enough')
})
