// What a person reads fits a terminal and says what is true.
import { describe, expect, it } from 'vitest'
import { booksLines, deadLines, firstPassLines, incidentLines } from './chapters.js'
import { plannedFailures } from './failures.js'
import type { FirstPass } from './live.js'
import { pounds, tableOf, wrapped } from './table.js'

const tally = {
  processed: 61,
  processedPence: 2_421_000,
  cancelled: 2,
  cancelledPence: -5300,
  dead: 3,
  waiting: 0,
  inWork: 0,
}

const firstPass: FirstPass = { invoices: 66, lines: 999, known: 0, repeats: 3, tally, waiting: [] }

describe('the chapters', () => {
  it('fit a terminal of 100 columns', () => {
    const incidents = plannedFailures.map((each) => ({
      ...each,
      failed: 16,
      retried: 14,
      dead: 12,
      breaker: 'database',
      home: 12,
    }))
    const reason = `invoice C536391: ${Array.from({ length: 7 }, () => 'it returns 12 × 22556, of which the customer holds 0').join('; ')}`
    const lines = [
      ...firstPassLines({ ...firstPass, known: 40, waiting: [{ invoice: 'C536506', behind: '536488' }] }),
      ...incidentLines(incidents),
      ...deadLines([{ invoice: 'C536391', subscription: 'process', deadLetter: 'process/1.7', reason }]),
    ]
    expect(lines.filter((line) => line.length > 96)).toEqual([])
    expect(lines.join('\n')).toContain('and 5 more like it')
  })

  it('name what was known already', () => {
    expect(firstPassLines(firstPass)[0]).toContain('66 real invoices with 999 lines')
    expect(firstPassLines({ ...firstPass, known: 66 })[0]).toContain('known already')
  })

  it('add up the books', () => {
    expect(booksLines({ firstPass, tally, incidents: [], redrive: null, dead: [] })).toEqual([
      '66 invoices = 61 processed + 2 cancelled + 3 dead',
      '£24,210.00 sold − £53.00 given back = £24,157.00',
    ])
  })
})

describe('the parts', () => {
  it('write pence as pounds', () => {
    expect([5, 2_450_375, -2750, 0].map(pounds)).toEqual(['£0.05', '£24,503.75', '−£27.50', '£0.00'])
  })

  it('align a table', () => {
    const columns = [
      { title: 'name', cell: ([name]: readonly [string, number]) => name },
      { title: 'n', cell: ([, count]: readonly [string, number]) => String(count), right: true },
    ]
    expect(
      tableOf(columns, [
        ['a', 7],
        ['longer', 12],
      ]),
    ).toEqual(['name     n', 'a        7', 'longer  12'])
  })

  it('wrap words', () => {
    expect(wrapped('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrapped('', 7)).toEqual([''])
  })
})
