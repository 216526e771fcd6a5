import { expect, it } from 'vitest'
import { AckLine } from './ack-line.js'

it('acknowledges in the order of the messages, in whatever order they are settled', () => {
  const sent: string[] = []
  const line = new AckLine((packets) => void sent.push(packets.toString('hex')))
  const [first, second, third, fourth] = [1, 0xfffe, 3, 4].map((messageId) =>
    line.enter(messageId),
  ) as (() => void)[]
  third?.()
  second?.()
  expect(sent).toEqual([])
  first?.()
  expect(sent).toEqual(['400200014002fffe40020003'])
  expect(line.length).toBe(1)
  fourth?.()
  expect(sent).toEqual([expect.any(String), '40020004'])
  expect(line.length).toBe(0)
})
