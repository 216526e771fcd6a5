// Messages come whole, however the network cuts them.
import { expect, test } from 'vitest'
import { Messages } from './messages.js'

const text =
  'retry: 2000\n: connected\n\nid: a1\ndata: {"n":1}\n\n: heartbeat\n\nid: a2\nevent: left-out\ndata: {"events":7}\n\n'
const written = [
  { type: 'message', data: '{"n":1}', id: 'a1' },
  { type: 'left-out', data: '{"events":7}', id: 'a2' },
]

test('whole, and cut at every place', () => {
  expect(new Messages().take(text)).toEqual(written)
  for (let cut = 0; cut <= text.length; cut++) {
    const messages = new Messages()
    expect([...messages.take(text.slice(0, cut)), ...messages.take(text.slice(cut))]).toEqual(written)
  }
})

test('one that has not ended is no message, and one without end is refused', () => {
  const messages = new Messages()
  expect(messages.take('data: {"n"')).toEqual([])
  expect(messages.take(':1}\n\n')).toEqual([{ type: 'message', data: '{"n":1}', id: undefined }])
  expect(() => messages.take(`data: ${'x'.repeat(9_000_000)}`)).toThrow(RangeError)
})
