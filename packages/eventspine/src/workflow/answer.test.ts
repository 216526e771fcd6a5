import { expect, test } from 'vitest'
import { Answer } from './answer.js'

const waits: [string, (answer: Answer) => unknown][] = [
  ['await', async (answer) => void (await answer)],
  ['then', (answer) => answer.then(() => {})],
  ['catch', (answer) => answer.catch(() => {})],
  ['finally', (answer) => answer.finally(() => {})],
  ['an answer of an async function', (answer) => (async () => answer)()],
  ['all', (answer) => Promise.all([answer, 1])],
  ['allSettled', (answer) => Promise.allSettled([answer])],
  ['race', (answer) => Promise.race([answer, new Promise(() => {})])],
  ['resolve', (answer) => Promise.resolve(answer)],
]

test.each(waits)('%s is heard', async (_, wait) => {
  const answer = Answer.of(Promise.resolve(7))
  expect(answer.heard).toBe(false)
  await wait(answer)
  expect(answer.heard).toBe(true)
  expect(await answer).toBe(7)
})

test('watching it is no waiting for it', async () => {
  let failed = false
  const answer = Answer.of(Promise.reject(new Error('lost'))).watch(() => {
    failed = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect([failed, answer.heard]).toEqual([true, false])
})
