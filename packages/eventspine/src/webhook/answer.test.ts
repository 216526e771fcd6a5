// What the answers of endpoints mean, and how much of them is believed.
import { describe, expect, it } from 'vitest'
import { judgementOf } from './answer.js'

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5)
const dayMs = 86_400_000
const judged = (status: number, parts: object = {}) => {
  const answer = { status, retryAfter: undefined, location: undefined, body: '', ...parts }
  const judgement = judgementOf('ep "1"', answer, nowMs)
  if (judgement.kind === 'taken') return 'taken'
  const { category, retryAfterMs, message } = judgement.error
  return { category, retryAfterMs, message, gone: judgement.gone }
}

describe('an answer', () => {
  it.each([200, 201, 202, 204, 299])('of %i has taken it', (status) => {
    expect(judged(status)).toBe('taken')
  })

  it.each([
    ...[300, 301, 302, 303, 307, 308, 304, 400, 401, 403, 404, 405, 410, 413, 422, 451, 499].map((code) => [
      code,
      'permanent',
    ]),
    ...[408, 409, 425, 429, 500, 501, 502, 503, 504, 599, 600, 999, 199, 0].map((code) => [
      code,
      'transient',
    ]),
  ] as [number, string][])('of %i is %s', (status, category) => {
    expect(judged(status)).toMatchObject({ category, gone: status === 410 })
  })

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
    ['Fri, 02 Jan 2026 03:04:00 GMT', 0],
    ['999999999', dayMs],
    ['Fri, 02 Jan 2099 03:04:05 GMT', dayMs],
    ['99999999999999999999', 0],
    ['-5', 0],
    ['soon', 0],
    ['', 0],
    [undefined, 0],
  ])('that says to come again after %s is heard', (retryAfter, ms) => {
    for (const status of [429, 503])
      expect(judged(status, { retryAfter })).toMatchObject({ retryAfterMs: ms })
  })

  it('is shown as far as it can stand in a message', () => {
    const body = `${'a'.repeat(190)}\u0000\u001b[31m"\ud800${'b'.repeat(500)}`
    const { message } = judged(500, { body }) as { message: string }
    expect(message).toMatch(/^Endpoint "ep {2}1" answered 500|^Endpoint "ep 1" answered 500/)
    expect(message).toContain('a'.repeat(190))
    expect(message.length).toBeLessThan(300)
    expect(message.isWellFormed()).toBe(true)
    expect(/[\u0000\u001b]/.test(message)).toBe(false)
  })

  it.each([
    ['http://169.254.169.254/latest/SECRET', 'to http://169.254.169.254'],
    ['https://user:SECRET@hooks.example.com/T0/SECRET?t=SECRET#SECRET', 'to https://hooks.example.com'],
    ['/T0/SECRET/', 'to another path'],
    [undefined, 'nowhere'],
  ])('that leads to %s is not followed, and gives no secret away', (location, where) => {
    const { message } = judged(302, { location, body: 'Moved to /T0/SECRET' }) as { message: string }
    expect(message).toBe(
      `Endpoint "ep  1" answered 302. It leads ${where}, which is not followed: give it its final URL, then redrive`,
    )
  })
})
