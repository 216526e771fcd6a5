// The ticks of a pattern: daylight saving, and what is made up for.
import { describe, expect, test } from 'vitest'
import { Calendar } from '../../src/schedule/index.js'

const minute = 60_000
const hour = 60 * minute
const at = (text: string) => Date.parse(text)

function ticks(cron: string, timeZone: string, from: string, to: string): string[] {
  const { due } = new Calendar(cron, timeZone).due(at(from), at(to), 'all')
  return due.map(({ atMs }) => new Date(atMs).toISOString().slice(0, 16))
}

describe('daylight saving (I57)', () => {
  test('a time that the clocks leave out comes once, at the end of the gap', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', '2026-03-30T12:00Z')).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ])
  })

  test('a time that they repeat comes once', () => {
    expect(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', '2026-10-26T12:00Z')).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ])
    expect(ticks('30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', '2026-11-02T12:00Z')).toEqual([
      '2026-11-01T05:30',
      '2026-11-02T06:30',
    ])
  })

  test('lists and ranges are times of day, too', () => {
    expect(ticks('30 2,14 * * *', 'Europe/Berlin', '2026-10-24T14:00Z', '2026-10-25T14:00Z')).toEqual([
      '2026-10-25T00:30',
      '2026-10-25T13:30',
    ])
    expect(ticks('30 2,14 * * *', 'Europe/Berlin', '2026-03-28T14:00Z', '2026-03-29T14:00Z')).toEqual([
      '2026-03-29T01:00',
      '2026-03-29T12:30',
    ])
  })

  test.each(['30 2 * * *', '30 2,14 * * *', '*/20 * * * *', '0 0 * * *'])(
    'the last tick of %s is the same from both sides',
    (cron) => {
      const calendar = new Calendar(cron, 'Europe/Berlin')
      for (const change of ['2026-03-29T00:10Z', '2026-10-25T00:10Z'])
        for (let ms = at(change); ms < at(change) + 4 * hour; ms += 7 * minute) {
          const { due } = calendar.due(ms - 40 * hour, ms + minute, 'once')
          const all = calendar.due(ms - 40 * hour, ms + minute, 'all').due
          const missed = all.filter((each) => each.missed).at(-1)
          expect(due.filter((each) => each.missed)).toEqual(missed === undefined ? [] : [missed])
        }
    },
  )

  test('midnights that do not exist are not skipped', () => {
    expect(ticks('0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00Z', '2018-11-05T12:00Z')).toEqual([
      '2018-11-04T03:00',
      '2018-11-05T02:00',
    ])
  })

  test.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'UTC'])(
    'each hour has its tick, and a day has one, the year round in %s',
    (timeZone) => {
      const calendar = new Calendar('0 0 * * * *', timeZone)
      let hours = 0
      for (let ms = at('2026-01-01T00:00Z'); ms < at('2027-01-01T00:00Z'); hours++) {
        const next = calendar.after(ms)
        // Lord Howe turns its clocks by half an hour.
        expect([hour / 2, hour, 1.5 * hour]).toContain(next - ms)
        ms = next
      }
      expect(Math.abs(hours - 365 * 24)).toBeLessThanOrEqual(1)
      const days = ticks('30 2 * * *', timeZone, '2026-01-01T12:00Z', '2026-12-31T12:00Z')
      expect(days).toHaveLength(364)
    },
  )
})

describe('what was missed (I57)', () => {
  const calendar = new Calendar('*/10 * * * *', 'UTC')
  const from = at('2026-01-01T00:00Z')
  const now = at('2026-01-01T01:00:30Z')
  const taken = (policy: 'skip' | 'once' | 'all') => {
    const { due, upToMs } = calendar.due(from, now, policy)
    expect(upToMs).toBe(at('2026-01-01T01:00Z'))
    return due.map(({ atMs, missed }) => `${(atMs - from) / minute}${missed ? ' missed' : ''}`)
  }

  test('is skipped, made up for once, or for each', () => {
    expect(taken('skip')).toEqual(['60'])
    expect(taken('once')).toEqual(['50 missed', '60'])
    expect(taken('all')).toEqual([...[10, 20, 30, 40, 50].map((each) => `${each} missed`), '60'])
  })

  test('is taken a thousand at a time, and none left out', () => {
    const seconds = new Calendar('* * * * * *', 'UTC')
    const until = from + 2_500_000
    const rounds: number[] = []
    for (let ms = from; ms < until; ) {
      const { due, upToMs } = seconds.due(ms, until, 'all')
      rounds.push(due.length)
      ms = upToMs
    }
    expect(rounds).toEqual([1_000, 1_000, 500])
  })

  test('a decade of seconds takes no time to skip', () => {
    const seconds = new Calendar('* * * * * *', 'UTC')
    const { due } = seconds.due(at('2016-01-01T00:00Z'), from, 'once')
    expect(due[0]).toEqual({ atMs: from - minute, missed: true })
    expect(due).toHaveLength(61)
  })
})

test.each(['', 'x', '60 * * * *', '* * * *', '0 0 31 2 *', '* * * * * * 2030', '2030-12-24T18:00:00'])(
  '"%s" is no pattern',
  (cron) => {
    expect(() => new Calendar(cron, 'UTC')).toThrow(/CronPattern|no day fits|a date is no pattern/)
  },
)
