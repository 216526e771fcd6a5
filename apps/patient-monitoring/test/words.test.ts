// What scores and times are called on the pages.
import { expect, test } from 'vitest'
import { riskInWords, whenOf } from '../web/page/words.js'

test.each([
  [null, [], 'no NEWS2 yet'],
  ['low', [], 'low risk'],
  ['low', ['oxygen'], 'at least low'],
  ['low', ['pulse', 'oxygen', 'systolic', 'saturation'], 'risk not known'],
  ['medium', ['pulse', 'oxygen', 'systolic', 'saturation'], 'at least medium'],
  ['high', ['oxygen'], 'high risk'],
])('a score of %s without %j is "%s"', (response, missing, words) => {
  expect(riskInWords(response, missing)).toBe(words)
})

test('what was more than half a day ago has its day', () => {
  const nowMs = Date.UTC(2026, 0, 2, 12)
  expect(whenOf(nowMs - 3_600_000, nowMs)).toMatch(/^\d\d:\d\d$/)
  expect(whenOf(new Date(nowMs - 20 * 3_600_000).toISOString(), nowMs)).toMatch(/^[A-Z][a-z]{2}/)
})
