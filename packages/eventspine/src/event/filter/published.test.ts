// Event patterns against what their inventors publish: a pattern that works in EventBridge does the same here. Where it does not, the
// last test says so, and docs/guides/filters.md says why.
import { describe, expect, it } from 'vitest'
import { documentedCases, type PublishedCase } from './documented.fixture.js'
import { compileFilter, explainFilter, FilterError, filterSet } from './index.js'
import {
  testedBlocks,
  testedCases,
  testedMalformedBlocks,
  testedPatterns,
  testedRefusals,
} from './ruler.fixture.js'

const matches = (pattern: unknown, event: unknown) => compileFilter(pattern).matches(event)
const eventsOf = ({ takes = [], leaves = [] }: PublishedCase) => [
  ...takes.map((event) => ({ event, taken: true })),
  ...leaves.map((event) => ({ event, taken: false })),
]

describe.each([
  ['documentation', documentedCases],
  ['tests', testedCases],
])('the patterns of their %s', (_, cases) => {
  it.each(cases)('$source: $pattern', (published) => {
    const filter = compileFilter(published.pattern)
    for (const { event, taken } of eventsOf(published)) {
      const told = JSON.stringify(event)
      expect(filter.matches(event), told).toBe(taken)
      expect(explainFilter(filter, event).matches, told).toBe(taken)
    }
  })

  it('take the same where one event is looked up among all of them', () => {
    const filters = cases.map(({ pattern }) => compileFilter(pattern))
    const set = filterSet(filters)
    for (const { event } of cases.flatMap(eventsOf)) {
      const alone = filters.flatMap((filter, at) => (filter.matches(event) ? [at] : []))
      expect([...set.matching(event)].sort((one, other) => one - other)).toEqual(alone)
    }
  })
})

describe('what a pattern may be', () => {
  it.each(testedPatterns)('%j', (pattern) => {
    expect(compileFilter(pattern).pattern).toEqual(pattern)
  })

  it.each(testedRefusals)('refuses %j', (pattern) => {
    expect(() => compileFilter(pattern)).toThrow(FilterError)
  })
})

describe('blocks of addresses', () => {
  it.each(testedMalformedBlocks)('refuses %s', (cidr) => {
    expect(() => compileFilter({ a: [{ cidr }] })).toThrow(FilterError)
  })

  it.each(testedBlocks)('%s ends at %s, before %s', (cidr, last, behind) => {
    const [first = ''] = cidr.split('/')
    const taken = [first, last, behind].map((a) => matches({ a: [{ cidr }] }, { a }))
    expect(taken).toEqual([true, true, false])
  })

  it('takes as many as it has', () => {
    const addressOf = (n: number) => [24, 16, 8, 0].map((bits) => (n >>> bits) & 255).join('.')
    const base = 0x0a000000
    for (let bits = 22; bits < 32; bits++) {
      const block = compileFilter({ a: [{ cidr: `10.0.0.0/${bits}` }] })
      const size = 2 ** (32 - bits)
      let taken = 0
      for (let n = base - 16; n < base + size + 16; n++) if (block.matches({ a: addressOf(n) })) taken++
      expect(taken).toBe(size)
    }
  })
})

// Each deliberate: docs/guides/filters.md, "Where it differs from EventBridge".
describe('what is otherwise here', () => {
  it('a dot in a name is a dot, and no step into an object', () => {
    const dotted = { detail: { 'state.status': ['running'] } }
    const nested = { detail: { state: { status: ['running'] } } }
    expect(matches(dotted, { detail: { 'state.status': 'running' } })).toBe(true)
    expect(matches(nested, { detail: { state: { status: 'running' } } })).toBe(true)
    expect(matches(dotted, { detail: { state: { status: 'running' } } })).toBe(false)
    expect(matches(nested, { detail: { 'state.status': 'running' } })).toBe(false)
  })

  it.each([
    { source: ['aws.cloudwatch'], $or: { metricType: ['MetricType'], namespace: ['AWS/EC2', 'AWS/ES'] } },
    { $or: [{ numeric: [123] }, { prefix: ['abc'] }] },
  ])('"$or" is never the name of a field: %j is refused', (pattern) => {
    expect(() => compileFilter(pattern)).toThrow(FilterError)
  })

  it('a block begins at its first address, whichever of its addresses it is written with', () => {
    expect(matches({ a: [{ cidr: '54.240.196.171/24' }] }, { a: '54.240.196.0' })).toBe(true)
  })

  it('"exactly", which EventBridge does not document, is refused: a value stands for itself', () => {
    expect(() => compileFilter({ a: [{ exactly: 'child' }] })).toThrow(/exactly is no operator/)
  })
})
