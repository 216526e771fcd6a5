import type { DeadLetter } from 'eventspine'
import { expect, it } from 'vitest'
import { chosenBy } from '../project/settings.js'
import { widthOfText } from '../screen/text.js'
import { groupLines, letterLines } from './dead.js'

const failure = {
  category: 'validation',
  name: 'ValidationError',
  message: `no such customer: ${'a long story\nof many lines '.repeat(40)}`,
  fingerprint: 'a1b2c3d4e5f60718',
  stack: null,
  code: null,
}
const letter = {
  id: 'charge-the-payment/1.1234567',
  state: 'redriving',
  diedAtMs: Date.now() - 90_000,
  failure,
  event: { type: 'payments.payment-was-requested' },
} as unknown as DeadLetter
const hint = (command: string) => `eventspine ${command}`

it.each([60, 80, 100, 132])('keeps a dead letter and its id to one line of %i columns', (width) => {
  const [head, row] = letterLines([letter], null, { hint }, width)
  expect(widthOfText(head ?? '')).toBeLessThanOrEqual(width)
  expect(widthOfText(row ?? '')).toBeLessThanOrEqual(width)
  expect(JSON.stringify(row)).toContain(letter.id)
})

it.each([60, 80, 100, 132])('keeps a fault and its fingerprint to one line of %i columns', (width) => {
  const times = { firstAtMs: letter.diedAtMs, lastAtMs: letter.diedAtMs, hourly: [] }
  const group = { count: 12_000, subscription: 'charge-the-payment', ...times, ...failure }
  for (const line of groupLines([{ ...group, category: 'validation' }], width))
    expect(widthOfText(line)).toBeLessThanOrEqual(width)
})

it('repeats in a hint what the command was told to look at, and no address with a password', () => {
  const told = { app: 'src/my app.ts', schema: 'shop', databaseUrl: 'postgres://ada:secret@db/shop' }
  expect(chosenBy({ ...told, cell: 'eu' })).toBe(" --app 'src/my app.ts' --schema shop --cell eu")
  expect(chosenBy({})).toBe('')
})
