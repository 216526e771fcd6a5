import { expect, it } from 'vitest'
import { StatementOrder } from './statement-order.js'

/** A database that answers when it is told to. */
function database() {
  const sent: string[] = []
  const answers: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []
  const query = (text: string) => {
    sent.push(text)
    return new Promise<never>((resolve, reject) => {
      answers.push({ resolve: () => resolve({ rows: [], rowCount: 0 } as never), reject })
    })
  }
  return { sent, answers, transaction: { query } as ConstructorParameters<typeof StatementOrder>[0] }
}

const done = { kind: 'done', published: [] } as const
const settled = () => new Promise((resolve) => setImmediate(resolve))
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error: Error) => error.name,
  )

it('sends what all ask without waiting for answers, in the order of the handlers', async () => {
  const { sent, answers, transaction } = database()
  const order = new StatementOrder(transaction, 3, () => new RangeError('given up'))
  const third = order.seat(2).query('c')
  const second = order.seat(1).query('b')
  expect(sent).toEqual([])
  const first = order.seat(0).query('a')
  await settled()
  expect(sent).toEqual(['a', 'b', 'c'])
  for (const { resolve } of answers) resolve()
  await Promise.all([first, second, third])
  expect(order.mixed).toBe(false)
})

it('lets the next one go when one has ended without a statement', async () => {
  const { sent, transaction } = database()
  const order = new StatementOrder(transaction, 3, () => new RangeError('given up'))
  void order.seat(2).query('c')
  order.ended(1, done)
  order.ended(0, done)
  expect(sent).toEqual(['c'])
})

it('sends together what one handler asks in one turn, whoever asked first', async () => {
  const { sent, transaction } = database()
  const order = new StatementOrder(transaction, 2, () => new RangeError('given up'))
  void order.seat(1).query('b1')
  void order.seat(1).query('b2')
  void order.seat(0).query('a1')
  void order.seat(0).query('a2')
  await settled()
  expect(sent).toEqual(['a1', 'a2', 'b1', 'b2'])
  expect(order.mixed).toBe(false)
})

it('gives all up when one asks again behind a later one, and sends nothing more', async () => {
  const { sent, transaction } = database()
  const order = new StatementOrder(transaction, 4, () => new RangeError('given up'))
  void order.seat(0).query('a1')
  void order.seat(1).query('b1')
  await settled()
  const waiting = outcome(order.seat(3).query('d1'))
  expect(await outcome(order.seat(0).query('a2'))).toBe('RangeError')
  expect(await waiting).toBe('RangeError')
  expect(await outcome(order.seat(2).query('c1'))).toBe('RangeError')
  expect(sent).toEqual(['a1', 'b1'])
  expect(order.mixed).toBe(true)
})

it('tells the failure to the one that failed, and gives up the others', async () => {
  const { sent, answers, transaction } = database()
  const order = new StatementOrder(transaction, 4, () => new RangeError('given up'))
  const asked = ['a', 'b', 'c'].map((text, place) => outcome(order.seat(place).query(text)))
  await settled()
  answers[0]?.resolve()
  await settled()
  answers[1]?.reject(new TypeError('no such table'))
  await settled()
  answers[2]?.reject(new Error('current transaction is aborted'))
  expect(await Promise.all(asked)).toEqual(['answered', 'TypeError', 'RangeError'])
  expect(await outcome(order.seat(3).query('d'))).toBe('RangeError')
  expect(sent).toEqual(['a', 'b', 'c'])
})

it('says for whom others had to give up, and sends nothing of a handler that is over', async () => {
  const { sent, answers, transaction } = database()
  const order = new StatementOrder(transaction, 3, () => new RangeError('given up'))
  const late = outcome(order.seat(1).query('b'))
  order.ended(1, { kind: 'abandoned' })
  const first = outcome(order.seat(0).query('a'))
  await settled()
  expect(await late).toBe('RangeError')
  expect(order.gaveUpFor).toBeUndefined()
  answers[0]?.reject(new TypeError('refused'))
  expect(await first).toBe('TypeError')
  expect(await outcome(order.seat(2).query('c'))).toBe('RangeError')
  expect(order.gaveUpFor).toBe(0)
  expect(sent).toEqual(['a'])
})
