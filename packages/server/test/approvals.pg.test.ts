// The page behind an approval link, as a browser and as an attacker meet it.
import { defineApp } from 'eventspine'
import { approvalLinks, workflow } from 'eventspine/workflow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiKey } from '../src/index.js'
import { Fixture } from './fixture.js'

const nasty = '<script>alert("1")</script> & \'more\' \u202eno\u202c'
const refund = workflow({
  name: 'refund',
  run: async (ctx) => {
    const decision = await ctx.approval('pay', { to: nasty, text: `Pay 40 € back?\n${nasty}` })
    return { approved: decision?.approved, by: decision?.by, reason: decision?.reason }
  },
})

const links = approvalLinks({
  url: 'https://shop.example.com',
  secrets: ['a secret of the tests that is long enough'],
})
const key = createApiKey({ scopes: ['publish', 'read', 'operate', 'admin'], name: 'ada' })
const fixture = new Fixture(
  { development: false, apiKeys: [key.record], approvalLinks: links },
  {},
  defineApp({ name: 'approvals', workflows: [refund] }),
)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const browser = { accept: 'text/html,application/xhtml+xml;q=0.9' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
let count = 0

/** An instance that asks, and the path of a link to it. */
async function asked(by = 'ada@example.com', until?: Date) {
  const { spine } = fixture
  const handle = await spine.workflows.start(refund, undefined, { id: `o-${++count}` })
  const path = new URL(links.link(handle, 'pay', { by, ...(until && { until }) })).pathname
  const page = () => fixture.send(path, { headers: browser })
  const questionOf = (html: string) => /name="question" value="([^"]*)"/.exec(html)?.[1] ?? '0'
  const decide = async (
    fields: Record<string, string> | readonly (readonly string[])[],
    headers: Record<string, string> = form,
  ) => {
    const question = questionOf((await page()).text)
    const given = Array.isArray(fields) ? fields : Object.entries(fields)
    const body = new URLSearchParams([['question', question], ...given]).toString()
    return await fixture.send(path, { headers: { ...browser, ...headers }, body })
  }
  const asks = async () => (await page()).text.includes('<form')
  if (until === undefined) await expect.poll(asks, { timeout: 15_000 }).toBe(true)
  return { path, page, decide, handle }
}

describe('the page', () => {
  test('says what is asked, and to look at it decides nothing', async () => {
    const { page, handle } = await asked()
    const { status, text, headers } = await page()
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect(text).toContain('Pay 40 € back?')
    expect(text).toContain('Recorded as the decision of ada@example.com')
    expect((await fixture.spine.workflows.show(refund, handle.id))?.state).toBe('running')
  })

  test('shows what others wrote as text, and runs no script', async () => {
    const { page, decide } = await asked(nasty)
    const shown = await page()
    const { text } = await decide({ decision: 'refuse', reason: nasty })
    for (const html of [shown.text, text]) {
      expect(html).not.toContain('<script')
      expect(html).toContain('&lt;script&gt;')
      // Nor can it reverse the order of reading.
      expect(html).toContain('\\u202eno\\u202c')
      expect(html).not.toMatch(/\p{Bidi_Control}/u)
    }
    expect(shown.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
    )
    expect([shown.headers['referrer-policy'], shown.headers['cache-control']]).toEqual([
      'no-referrer',
      'no-store',
    ])
  })

  test('is none for a link that nobody made, and says so when it has run out', async () => {
    const { path, decide } = await asked('ada', new Date(Date.now() - 1))
    const late = await fixture.send(path, { headers: browser })
    expect([late.status, late.text]).toEqual([410, expect.stringContaining('This link has run out')])
    expect((await decide({ decision: 'approve' })).status).toBe(410)
    for (const wrong of ['/approvals/x', `${path}x`, '/approvals/a.b.c']) {
      const { status, text } = await fixture.send(wrong, { headers: browser })
      expect([status, text]).toEqual([404, expect.stringContaining('This link is not valid')])
      expect((await fixture.send(wrong)).json).toMatchObject({ code: 'NOT_FOUND' })
    }
  })
})

describe('a decision', () => {
  test('is taken once, with its reason, and shown from then on', async () => {
    const { page, decide, handle } = await asked()
    const first = await decide({ decision: 'approve', reason: '  as agreed ' })
    expect([first.status, first.text]).toEqual([200, expect.stringContaining('<h1>Approved</h1>')])
    expect(await handle.result()).toEqual({ approved: true, by: 'ada@example.com', reason: 'as agreed' })
    const changed = await decide({ decision: 'refuse' })
    expect(changed.text).toContain('<h1>Approved</h1>')
    const { text } = await page()
    expect(text).toContain('as agreed')
    expect(text).not.toContain('<form')
  })

  test.each([
    ['no decision', {}, form, 400],
    ['another decision', { decision: 'maybe' }, form, 400],
    [
      'a field that stands twice',
      [
        ['decision', 'approve'],
        ['decision', 'refuse'],
      ],
      form,
      400,
    ],
    ['a field that is not known', { decision: 'approve', by: 'eve' }, form, 400],
    ['a reason that is too long', { decision: 'approve', reason: 'x'.repeat(1_001) }, form, 400],
    ['a form that is too large', { decision: 'approve', reason: 'x'.repeat(20_000) }, form, 413],
    ['another type', { decision: 'approve' }, { 'content-type': 'application/json' }, 415],
  ] as const)('is refused with %s, and nothing is decided', async (_, fields, headers, status) => {
    const { path, page, decide } = await asked()
    const answer = await decide(fields, headers)
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8'])
    expect(answer.text).toContain('Go back to the form')
    const { json } = await fixture.send(path, { headers: form, body: 'decision=maybe' })
    expect(json).toMatchObject({ status: 400, code: 'REQUEST_INVALID' })
    expect((await page()).text).toContain('<form')
  })
})

test('without a secret no link is valid', async () => {
  const { path } = await asked()
  const none = new Fixture({ development: false, apiKeys: [key.record] }, {}, defineApp({ name: 'none' }))
  await none.start()
  try {
    expect((await none.send(path)).status).toBe(404)
  } finally {
    await none.stop()
  }
})
