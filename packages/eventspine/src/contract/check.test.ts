// What a deployment would break, and for whom: one case for each kind of finding, and those that must say nothing.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEvent } from '../event/index.js'
import { checkContracts, type Deployed, type Reader } from './check.js'
import { differencesOf } from './difference.js'
import { contractOf } from './json-schema.js'
import type { RegisteredContract } from './port.js'

const type = 'orders.placed'
const first = z.object({ id: z.string(), total: z.number() })
const second = first.extend({ currency: z.string() })
const placed = (version: number, schema: z.ZodType) => contractOf(defineEvent({ type, version, schema }))
const registered = (version: number, schema: z.ZodType, app = 'shop'): RegisteredContract => ({
  ...placed(version, schema),
  ...{ app, registeredAtMs: 0 },
})
const newestOf = (contracts: Deployed['contracts']) => contracts.map(({ version }) => version).slice(-1)
const stepping = (steps: readonly number[], from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index).every((step) => steps.includes(step))
const shop = (
  contracts: Deployed['contracts'],
  steps: readonly number[] = [],
  readsAs: readonly number[] = newestOf(contracts),
): Deployed => ({
  ...{ name: 'shop', contracts, readsAs: () => readsAs },
  leadsUp: (_, from, to) => stepping(steps, from, to),
})
const ways = (up: readonly number[] = [], down: readonly number[] = []) => ({
  leadsUp: (_: string, from: number, to: number) => stepping(up, from, to),
  leadsDown: (_: string, from: number, to: number) => stepping(down, to + 1, from + 1),
})
const reader = (name: string, app: string, version: number): Reader => ({
  ...{ name, app, takes: (each) => each === type },
  reads: (each) => (each === type ? version : undefined),
})

describe('checking contracts', () => {
  it('finds nothing wrong with a first start, the same again, or a new version with a way up', () => {
    expect(checkContracts(shop([placed(1, first)]), [], [])).toEqual([])
    expect(
      checkContracts(shop([placed(1, first)]), [registered(1, first)], [reader('a', 'shop', 1)]),
    ).toEqual([])
    expect(
      checkContracts(shop([placed(2, second)], [1]), [registered(1, first)], [reader('a', 'shop', 1)]),
    ).toEqual([])
  })

  it('finds a schema that was changed under its version, and the consumer that would fail', () => {
    const found = checkContracts(
      shop([placed(1, first.omit({ total: true }))]),
      [registered(1, first)],
      [reader('charge', 'payments', 1), reader('newer', 'payments', 2)],
    )
    expect(found).toMatchObject([
      { severity: 'breaking', kind: 'changed', type, version: 1, consumer: null, misfits: [] },
      {
        ...{ severity: 'breaking', kind: 'consumer', consumer: { name: 'charge', app: 'payments' } },
        misfits: [{ path: '/total', message: 'may be missing, and the reader needs it' }],
      },
    ])
  })

  it('finds a version that nothing leads up from', () => {
    const known = [registered(1, first), registered(2, first)]
    const three = placed(3, second)
    expect(checkContracts(shop([three], [2]), known, [])).toMatchObject([
      {
        ...{ severity: 'breaking', kind: 'no-upcast', version: 1 },
        misfits: [{ path: '/currency', message: 'may be missing, and the reader needs it' }],
      },
    ])
    expect(checkContracts(shop([three], [1, 2]), known, [])).toEqual([])
    // What is read as an older version needs a way to that one alone.
    expect(checkContracts(shop([three], [1], [2]), known, [])).toEqual([])
    expect(checkContracts(shop([three], [2], [1, 2]), known, [])).toMatchObject([
      { severity: 'breaking', version: 1, message: expect.stringContaining('version 2 cannot read them') },
    ])
    // Nor is one better that the app itself defines, and nobody has registered yet.
    expect(checkContracts(shop([placed(1, first), placed(2, second)]), [], [])).toMatchObject([
      { severity: 'breaking', kind: 'no-upcast', version: 1 },
    ])
    // Who only publishes reads nothing.
    expect(checkContracts(shop([three], [2], []), known, [])).toMatchObject([{ severity: 'notice' }])
  })

  it('names the consumer of another app that does not know the new version yet', () => {
    const readers = [reader('charge', 'payments', 1), reader('own', 'shop', 1), reader('ready', 'mail', 2)]
    expect(checkContracts(shop([placed(2, second)], [1]), [registered(1, first)], readers)).toMatchObject([
      { severity: 'breaking', kind: 'consumer', version: 2, consumer: { name: 'charge', app: 'payments' } },
    ])
    // Somebody publishes it already: this deployment changes nothing for them.
    const known = [registered(1, first), registered(2, second)]
    expect(checkContracts(shop([placed(2, second)], [1]), known, readers)).toEqual([])
  })

  it('finds code that is older than what is published, where it would stand still', () => {
    const known = [registered(1, first), registered(2, second, 'other')]
    expect(checkContracts(shop([placed(1, first)]), known, [])).toMatchObject([
      { severity: 'breaking', kind: 'older', version: 2 },
    ])
    expect(checkContracts(shop([placed(1, first)], [], []), known, [])).toMatchObject([
      { severity: 'notice', kind: 'older', version: 2 },
    ])
  })

  it('notices events that are gone, and schemas that cannot be told', () => {
    expect(checkContracts(shop([]), [registered(1, first)], [reader('charge', 'payments', 1)])).toMatchObject(
      [{ severity: 'notice', kind: 'removed', consumer: { name: 'charge' } }],
    )
    expect(checkContracts(shop([placed(1, z.date())]), [], [])).toMatchObject([
      { severity: 'notice', kind: 'unknown-schema' },
    ])
  })
})

describe('the differences', () => {
  it('are what is new, changed and gone', () => {
    const known = [registered(1, first), { ...registered(1, first), type: 'orders.gone' }]
    expect(differencesOf('shop', [placed(1, second), placed(2, second)], known, ways())).toMatchObject([
      { type: 'orders.gone', change: 'removed', stored: [], published: [] },
      { type, version: 1, change: 'changed', stored: [{ path: '/currency' }], published: [] },
      { type, version: 2, change: 'added', stored: [{ path: '/currency' }], published: [] },
    ])
    expect(differencesOf('shop', [placed(1, first)], [registered(1, first)], ways())).toEqual([])
  })

  it('of a new version name nothing that an upcaster or a downcaster is given to', () => {
    const less = first.omit({ total: true }).extend({ currency: z.string() })
    const of = (...given: Parameters<typeof ways>) =>
      differencesOf('shop', [placed(2, less)], [registered(1, first)], ways(...given)).map((each) => [
        each.stored.map(({ path }) => path),
        each.published.map(({ path }) => path),
      ])
    expect(of()).toEqual([[['/currency'], ['/total']]])
    expect(of([1])).toEqual([[[], ['/total']]])
    expect(of([1], [2])).toEqual([[[], []]])
    // A step between other versions leads nowhere.
    expect(of([2], [3])).toEqual([[['/currency'], ['/total']]])
  })

  it('do not name old versions that the app reads through its upcasters', () => {
    const known = [registered(1, first), registered(2, second)]
    expect(differencesOf('shop', [placed(2, second)], known, ways())).toEqual([])
  })
})
