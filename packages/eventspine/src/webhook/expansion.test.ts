// Which endpoints an event goes to, and what of that is refused.
import { expect, it } from 'vitest'
import type { Event } from '../event/event.js'
import type { HandlerContext } from '../handle/index.js'
import { expansion } from './expansion.js'
import { messageOf } from './message.js'

const event = { type: 'orders.placed', time: '2026-01-02T03:04:05.000Z', data: { n: 1 } } as Event

async function addressed(answer: unknown, payload?: () => object): Promise<unknown[]> {
  const published: unknown[] = []
  const publish = async (_: unknown, data: unknown) => void published.push(data)
  const context = { tenant: 'acme', publish } as unknown as HandlerContext
  await expansion(messageOf('partners'), () => answer as readonly string[], payload)(event, context)
  return published
}

it('makes one message for each, with the same body', async () => {
  const body = { type: 'orders.placed', timestamp: event.time, data: { n: 1 } }
  expect(await addressed(['a', 'b', 'a'])).toEqual([
    { endpoint: 'a', body },
    { endpoint: 'b', body },
  ])
  expect(await addressed(['a'], () => ({ own: true }))).toEqual([{ endpoint: 'a', body: { own: true } }])
})

it('makes nothing of an event that goes nowhere, not even its body', async () => {
  const payload = () => {
    throw new Error('asked')
  }
  expect(await addressed([], payload)).toEqual([])
})

it.each([
  ['no list', undefined, 'processing'],
  ['the endpoints themselves', [{ id: 'a' }], 'validation'],
  ['an empty id', ['a', ''], 'validation'],
  ['a long id', ['a'.repeat(201)], 'validation'],
  ['a control character', ['a\n'], 'validation'],
  ['half a character', ['a\ud800'], 'validation'],
  ['more than a thousand', Array.from({ length: 1_001 }, (_, n) => `e${n}`), 'processing'],
])('refuses %s', async (_, answer, category) => {
  await expect(addressed(answer)).rejects.toMatchObject({ category })
})

it('takes a thousand, of up to 200 characters', async () => {
  const ids = Array.from({ length: 1_000 }, (_, n) => `${n}`.padEnd(200, 'ü'))
  expect(await addressed(ids)).toHaveLength(1_000)
})
