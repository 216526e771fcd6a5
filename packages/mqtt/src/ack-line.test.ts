import { nextTick } from 'node:process'
import { expect, it } from 'vitest'
import { AckLine } from './ack-line.js'

const behindMicrotasks = () => new Promise<void>((resolve) => nextTick(resolve))

function lineOf(messageIds: readonly number[]) {
  const sent: string[] = []
  const line = new AckLine((packets) => void sent.push(packets.toString('hex')))
  return { line, sent, settle: messageIds.map((messageId) => line.enter(messageId)) }
}

it('acknowledges in the order of the messages, in whatever order they are settled', async () => {
  const { line, sent, settle } = lineOf([1, 0xfffe, 3, 4])
  const [first, second, third, fourth] = settle
  third?.()
  second?.()
  await behindMicrotasks()
  expect(sent).toEqual([])
  first?.()
  await behindMicrotasks()
  expect(sent).toEqual(['400200014002fffe40020003'])
  expect(line.length).toBe(1)
  fourth?.()
  await behindMicrotasks()
  expect(sent).toEqual([expect.any(String), '40020004'])
  expect(line.length).toBe(0)
})

it('acknowledges what is settled in one turn together', async () => {
  const { sent, settle } = lineOf([1, 2, 3])
  const stored = Promise.resolve()
  // As many promises are awaited behind an append.
  for (const each of settle) void stored.then(() => {}).then(each)
  await behindMicrotasks()
  expect(sent).toEqual(['400200014002000240020003'])
})

it('acknowledges at once where the connection is to end, and nothing twice', async () => {
  const { line, sent, settle } = lineOf([7, 8])
  settle[0]?.()
  line.flush()
  expect(sent).toEqual(['40020007'])
  await behindMicrotasks()
  settle[1]?.()
  await behindMicrotasks()
  expect(sent).toEqual(['40020007', '40020008'])
})
