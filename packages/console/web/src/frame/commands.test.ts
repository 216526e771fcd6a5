// The palette finds what the system consists of by its name.
import { expect, test } from 'vitest'
import { commandsFor } from './commands.js'

const sections = [
  { page: '', name: 'Overview' },
  { page: 'dead-letters', name: 'Dead letters' },
]
const parts = [
  { kind: 'event', name: 'orders.billed' },
  { kind: 'subscription', name: 'rebill' },
  { kind: 'subscription', name: 'bill' },
  { kind: 'workflow', name: 'billing' },
  { kind: 'schedule', name: 'bill-nightly' },
] as const
const names = (text: string) => commandsFor(text, sections, parts).map(({ name }) => name)

test('parts by their names, what is called so first, before what it may be the id of', () => {
  expect(names('Bill').slice(0, 5)).toEqual([
    ...['Subscription bill', 'Workflow billing', 'Events of the type orders.billed', 'Subscription rebill'],
    'Event Bill',
  ])
  const [first] = commandsFor('bill', sections, parts)
  expect(first?.href).toBe('/console/subscriptions?name=bill')
})

test('each place once, and not all parts at once', () => {
  const hrefs = commandsFor('orders.billed', sections, parts).map(({ href }) => href)
  expect(new Set(hrefs).size).toBe(hrefs.length)
  const many = Array.from({ length: 50 }, (_, at) => ({ kind: 'subscription' as const, name: `chart-${at}` }))
  expect(commandsFor('chart', sections, many).filter(({ name }) => name.startsWith('Sub'))).toHaveLength(8)
})

test('pages alone while nothing is written', () => {
  expect(names('')).toEqual(['Overview', 'Dead letters'])
})
