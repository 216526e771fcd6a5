// Decisions by a link: signed, for one question and one person, taken once, and only while it is asked.
import { defineApp, PermanentError } from 'eventspine'
import { type ApprovalTicket, approvalLinks, type LinkDecision, workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { Stage } from './stage.js'

const secret = 'a secret of the tests that is long enough'
const url = 'https://shop.example.com/'
const links = approvalLinks({ url, secrets: [secret] })
const instance = { tenant: 'acme', workflow: 'refund', id: 'o 1/ü' }
const until = new Date(Date.UTC(2100, 0))
const tokenOf = (link: string) => link.slice(link.lastIndexOf('/') + 1)

describe('a link', () => {
  test('says what it is for, to whoever has the secret', () => {
    const link = links.link(instance, 'pay', { by: 'ada@example.com', until })
    expect(link).toMatch(/^https:\/\/shop\.example\.com\/approvals\/[\w.-]+$/)
    const ticket = { ...instance, approval: 'pay', by: 'ada@example.com', untilMs: until.getTime() }
    expect(links.read(tokenOf(link))).toEqual({ ...ticket, nonce: expect.stringMatching(/^[\w-]{8}$/) })
    expect(links.read(tokenOf(link), until.getTime())).toBe('expired')
    const default7Days = links.read(tokenOf(links.link(instance, 'pay', { by: 'ada' }))) as ApprovalTicket
    expect(default7Days.untilMs - Date.now()).toBeGreaterThan(6.9 * 86_400_000)
  })

  test('is nothing when a sign of it is changed, or another secret signed it', () => {
    const token = tokenOf(links.link(instance, 'pay', { by: 'ada', until }))
    const [body = '', signature = ''] = token.split('.')
    const other = approvalLinks({ url, secrets: ['another secret that is long enough, too'] })
    const forged = Buffer.from(Buffer.from(body, 'base64url').toString().replace('ada', 'eve')).toString(
      'base64url',
    )
    for (const wrong of [
      '',
      '.',
      body,
      `${body}.`,
      `${forged}.${signature}`,
      `${token}.x`,
      `${token}x`,
      `x${token}`,
    ])
      expect(links.read(wrong), wrong).toBe('invalid')
    expect(other.read(token)).toBe('invalid')
  })

  test('is good while its secret is among those that are accepted', () => {
    const token = tokenOf(links.link(instance, 'pay', { by: 'ada', until }))
    const fresh = 'the secret that comes after the first one'
    const both = approvalLinks({ url, secrets: [fresh, secret] })
    expect(both.read(token)).toMatchObject({ by: 'ada' })
    expect(links.read(tokenOf(both.link(instance, 'pay', { by: 'ada', until })))).toBe('invalid')
  })

  test('is refused with what to do where it cannot be made', () => {
    const made = (options: Parameters<typeof approvalLinks>[0], by = 'ada', id = 'o-1') =>
      approvalLinks(options).link({ ...instance, id }, 'pay', { by, until })
    expect(() => made({ url, secrets: [] })).toThrow(/Set EVENTSPINE_APPROVAL_SECRET to 32 random characters/)
    expect(() => made({ url, secrets: ['short'] })).toThrow(/shorter than 32 characters/)
    expect(() => made({ url: 'shop', secrets: [secret] })).toThrow(/"shop" is no address/)
    expect(() => made({ url, secrets: [secret] }, '')).toThrow(/"by" says who decides/)
    expect(() => made({ url, secrets: [secret] }, 'ada', 'ü'.repeat(1_000))).toThrow(/mail programs break/)
  })
})

const asking = workflow({
  name: 'refund',
  run: async (ctx, { rounds, timeoutMs }: { readonly rounds: number; readonly timeoutMs?: number }) => {
    const answers: unknown[] = []
    await ctx.sleep(500)
    for (let round = 1; round <= rounds; round++) {
      const options = { text: `round ${round}`, ...(timeoutMs !== undefined && { timeoutMs }) }
      const decided = await ctx.approval('pay', options)
      answers.push(decided === undefined ? 'nobody' : [decided.approved, decided.by, decided.reason ?? null])
      await ctx.sleep(1_000)
    }
    return answers
  },
})

/** An instance that asks, and how a link to it stands. */
async function scene(input: { readonly rounds: number; readonly timeoutMs?: number }) {
  const stage = new Stage(1)
  const spine = stage.spine(defineApp({ name: 'tests', workflows: [asking] }))
  await stage.until(spine.start())
  const {
    id,
    tenant,
    workflow: name,
    result,
  } = await stage.until(spine.workflows.start(asking, input, { id: 'o-1' }))
  const made = (by: string): ApprovalTicket =>
    links.read(tokenOf(links.link({ id, tenant, workflow: name }, 'pay', { by, until }))) as ApprovalTicket
  const tickets = new Map<string, ApprovalTicket>()
  /** Each has one link. */
  const ticket = (by: string): ApprovalTicket => {
    const known = tickets.get(by) ?? made(by)
    tickets.set(by, known)
    return known
  }
  /** What the page shows is decided. */
  const decide = async (by: string, approved: boolean, reason?: string) => {
    const shown = await look(by)
    const question = shown.kind === 'asks' ? shown.question : ''
    return await decideAs(by, { approved, question, ...(reason !== undefined && { reason }) })
  }
  const decideAs = (by: string, decision: LinkDecision) =>
    stage.until(spine.approvals.decide(ticket(by), decision))
  const look = (by = 'ada') => stage.until(spine.approvals.look(ticket(by)))
  const pass = (ms: number) => stage.until(stage.clock.sleep(ms))
  return { stage, spine, decide, decideAs, look, pass, ticket, made, end: () => stage.until(result()) }
}

describe('a decision without a link', () => {
  const open = async (rounds: number) => {
    const { stage, spine, pass, look, end } = await scene({ rounds })
    const approve = (by: string, approved: boolean, question?: string) =>
      stage.until(
        spine.workflows
          .approve(asking, 'o-1', 'pay', { approved, by, ...(question !== undefined && { question }) })
          .catch(({ code, message }) => `${code}: ${message}`),
      )
    const questions = async () => (await stage.until(spine.workflows.show(asking, 'o-1')))?.questions ?? []
    return { approve, questions, pass, look, end }
  }

  test('is for a question that is open, and the same one twice is one', async () => {
    const { approve, questions, pass, end } = await open(1)
    expect(await approve('ada', true)).toMatch(/^APPROVAL_NOT_ASKED: .*has not come to it/)
    await pass(600)
    const [asked] = await questions()
    expect(asked).toMatchObject({ approval: 'pay', text: 'round 1' })
    const question = asked?.question ?? ''
    expect(await approve('ada', true)).toEqual({ question })
    expect(await approve('ada', true)).toEqual({ question })
    await pass(300)
    expect(await questions()).toEqual([])
    expect(await approve('ada', true)).toEqual({ question })
    expect(await approve('ada', false)).toMatch(/^APPROVAL_NOT_ASKED: .*ada has approved it at 2026/)
    expect(await approve('bob', false)).toMatch(/^APPROVAL_NOT_ASKED: .*ada has approved it at 2026/)
    expect(await end()).toEqual([[true, 'ada', null]])
  })

  test('answers no question behind the one that it was for (I47)', async () => {
    const { approve, questions, pass, end } = await open(2)
    await pass(600)
    const [first] = await questions()
    await approve('ada', true)
    await pass(1_500)
    const [second] = await questions()
    // A second click that comes late, with and without the question that it saw.
    expect(await approve('ada', true, first?.question)).toEqual({ question: first?.question })
    expect(await approve('ada', true)).toMatch(
      new RegExp(`^APPROVAL_NOT_ASKED: .*asked 2 times.*open: ${second?.question} \\(round 2\\)`),
    )
    expect(await approve('ada', true, '99')).toMatch(/^APPROVAL_NOT_ASKED: .*asks nothing as "99"/)
    expect(await questions()).toEqual([second])
    expect(await approve('bob', false, second?.question)).toEqual({ question: second?.question })
    expect(await end()).toEqual([
      [true, 'ada', null],
      [false, 'bob', null],
    ])
  })
})

describe('a decision by a link', () => {
  test('is recorded with who, when and why, and made once', async () => {
    const { decide, look, pass, end, spine, stage } = await scene({ rounds: 1 })
    await pass(600)
    expect(await look()).toMatchObject({ kind: 'asks', text: 'round 1' })
    const decided = { kind: 'decided', approved: false, by: 'ada', reason: 'too much' }
    expect(await decide('ada', false, 'too much')).toMatchObject(decided)
    // A second click, and a change of mind: the first decision stands.
    expect(await decide('ada', false, 'too much')).toMatchObject(decided)
    expect(await decide('ada', true)).toMatchObject(decided)
    expect(await end()).toEqual([[false, 'ada', 'too much']])
    const shown = await stage.until(spine.workflows.show(asking, 'o-1'))
    expect(shown?.history.filter(({ kind }) => kind === 'signal')).toHaveLength(1)
    expect(await look()).toMatchObject(decided)
  })

  test('is not kept for a question that comes later, and its link decides no second one', async () => {
    const { decide, look, pass, end } = await scene({ rounds: 2 })
    expect(await look()).toMatchObject({ kind: 'not-asked' })
    await pass(100)
    expect(await decide('ada', true)).toMatchObject({ kind: 'not-asked' })
    await pass(600)
    expect(await decide('ada', true)).toMatchObject({ kind: 'decided', by: 'ada' })
    expect(await decide('bob', false)).toMatchObject({ kind: 'decided', by: 'ada' })
    await pass(1_100)
    expect(await decide('ada', false)).toMatchObject({ kind: 'decided', approved: true, by: 'ada' })
    expect(await look('bob')).toMatchObject({ kind: 'asks', text: 'round 2' })
    expect(await decide('bob', false)).toMatchObject({ kind: 'decided', approved: false, by: 'bob' })
    expect(await end()).toEqual([
      [true, 'ada', null],
      [false, 'bob', null],
    ])
  })

  test('by a link of its own for each round, though both run out at the same time', async () => {
    const { stage, spine, pass, decide, made, end } = await scene({ rounds: 2 })
    await pass(600)
    await decide('ada', true)
    await pass(1_100)
    const again = made('ada')
    const shown = await stage.until(spine.approvals.look(again))
    expect(shown).toMatchObject({ kind: 'asks', text: 'round 2' })
    const question = shown.kind === 'asks' ? shown.question : ''
    await stage.until(spine.approvals.decide(again, { approved: false, question }))
    expect(await end()).toEqual([
      [true, 'ada', null],
      [false, 'ada', null],
    ])
  })

  test('of two at once counts one, and the other answers no question after it (I47)', async () => {
    const { stage, spine, pass, ticket, look, end, decide } = await scene({ rounds: 2 })
    await pass(600)
    const shown = await look()
    const question = shown.kind === 'asks' ? shown.question : ''
    const both = ['ada', 'bob'].map((by) => spine.approvals.decide(ticket(by), { approved: true, question }))
    const kinds = (await stage.until(Promise.all(both))).map(({ kind }) => kind)
    expect(kinds.sort()).toEqual(['decided', 'over'])
    await pass(1_100)
    expect(await look('eve')).toMatchObject({ kind: 'asks', text: 'round 2' })
    await decide('eve', false)
    const [first, ...others] = (await end()) as readonly unknown[]
    expect([['ada', 'bob'].map((by) => [true, by, null]), others]).toEqual([
      expect.arrayContaining([first]),
      [[false, 'eve', null]],
    ])
  })

  test('is none for a question that its page did not show', async () => {
    const { look, pass, decide, decideAs, end } = await scene({ rounds: 2 })
    await pass(600)
    const shown = await look('bob')
    await decide('ada', true)
    await pass(1_100)
    // The page of the first question is still open, and the second is asked.
    const question = shown.kind === 'asks' ? shown.question : ''
    expect(await decideAs('bob', { approved: true, question })).toMatchObject({
      kind: 'asks',
      text: 'round 2',
    })
    expect(await decide('bob', false)).toMatchObject({ kind: 'decided', by: 'bob', approved: false })
    expect(await end()).toHaveLength(2)
  })

  test('comes too late when its time is over, and when the workflow has ended', async () => {
    const { decide, look, pass, end } = await scene({ rounds: 1, timeoutMs: 5_000 })
    await pass(20_000)
    expect(await look()).toMatchObject({ kind: 'over' })
    expect(await decide('ada', true)).toMatchObject({ kind: 'over' })
    expect(await end()).toEqual(['nobody'])
    expect(await decide('ada', true)).toMatchObject({ kind: 'over' })
  })

  test('is refused when its reason cannot be kept', async () => {
    const { decide, pass } = await scene({ rounds: 1 })
    await pass(600)
    await expect(decide('ada', true, 'x'.repeat(1_001))).rejects.toThrow(/at most 1000 characters/)
  })
})

test('a question that lost a race is asked of nobody any more', async () => {
  const effects: string[] = []
  const races = workflow({
    name: 'races',
    run: async (ctx) => {
      const decided = await ctx.race([
        async (own) => {
          const answer = await own.approval('pay', { text: 'Pay?' })
          effects.push('the branch that lost went on')
          return answer?.by
        },
        async (own) => {
          await own.signal('withdraw')
          return 'nobody'
        },
      ])
      await ctx.signal('go')
      const again = await ctx.approval('pay', { text: 'And now?' })
      return [decided, again?.by]
    },
  })
  const stage = new Stage(3)
  const spine = stage.spine(defineApp({ name: 'tests', workflows: [races] }))
  await stage.until(spine.start())
  const instance = await stage.until(spine.workflows.start(races, undefined, { id: 'o-1' }))
  const ticket = links.read(tokenOf(links.link(instance, 'pay', { by: 'ada', until }))) as ApprovalTicket
  const look = () => stage.until(spine.approvals.look(ticket))
  await stage.until(stage.clock.sleep(1_000))
  const shown = await look()
  expect(shown).toMatchObject({ kind: 'asks', text: 'Pay?' })
  await stage.until(spine.workflows.signal(races, 'o-1', 'withdraw'))
  await stage.until(stage.clock.sleep(1_000))
  expect(await look()).toEqual({ kind: 'over' })
  const question = shown.kind === 'asks' ? shown.question : ''
  const late = await stage.until(spine.approvals.decide(ticket, { approved: true, question }))
  expect(late).toEqual({ kind: 'over' })
  await stage.until(spine.workflows.signal(races, 'o-1', 'go'))
  await stage.until(stage.clock.sleep(1_000))
  const asked = await look()
  expect(asked).toMatchObject({ kind: 'asks', text: 'And now?' })
  const second = { approved: true, question: asked.kind === 'asks' ? asked.question : '' }
  await stage.until(spine.approvals.decide(ticket, second))
  expect(await stage.until(instance.result())).toEqual(['nobody', 'ada'])
  expect(effects).toEqual([])
  await stage.until(spine.stop())
})

test('a restart keeps what was decided by a link, with its question', async () => {
  let broken = true
  const pays = workflow({
    name: 'pays',
    run: async (ctx) => {
      const decided = await ctx.approval('pay', { text: 'Pay?' })
      return await ctx.step('pay', () => {
        if (broken) throw new PermanentError('no money')
        return decided?.by
      })
    },
  })
  const stage = new Stage(2)
  const spine = stage.spine(defineApp({ name: 'tests', workflows: [pays] }))
  await stage.until(spine.start())
  const old = await stage.until(spine.workflows.start(pays, undefined, { id: 'o-1' }))
  await stage.until(stage.clock.sleep(1_000))
  const ticket = links.read(tokenOf(links.link(old, 'pay', { by: 'ada', until }))) as ApprovalTicket
  const shown = await stage.until(spine.approvals.look(ticket))
  const question = shown.kind === 'asks' ? shown.question : ''
  await stage.until(spine.approvals.decide(ticket, { approved: true, question }))
  expect(await stage.until(old.ended())).toBe(true)
  broken = false
  const next = await stage.until(spine.workflows.restart(pays, 'o-1', 'bob', { from: 'pay' }))
  expect(await stage.until(next.result())).toBe('ada')
  const details = await stage.until(spine.workflows.show(pays, next.id))
  expect(details?.history.map(({ kind }) => kind)).toEqual([
    'started',
    'asked',
    'signal',
    'step-done',
    'ended',
  ])
})
