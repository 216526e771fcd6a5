// What an operator does with instances of a workflow, by command: start, decide, signal, look, and mend what halts.
import type { DeadLetter, Page } from 'eventspine'
import type { InstanceView, ScheduleView, WorkflowDetails } from 'eventspine/workflow'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { checkout, eventspine, shop } from './command.js'
import { Day, eventually } from './day.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let day: Day

beforeAll(async () => {
  day = await Day.begin(checkout)
  await day.answered('migrate')
  await day.worker()
})

afterAll(() => day.end())

const flow = (verb: string, ...more: string[]) => ['workflows', verb, 'check-out', ...more]
const start = (id: string) =>
  day.answered(...flow('start', '--id', id, '--input', JSON.stringify({ order: id, amount: 250 })))
const shown = (id: string, met: (details: WorkflowDetails) => boolean) =>
  eventually(
    () => day.answered<WorkflowDetails>(...flow('show', id)),
    // Without a history: no worker has taken it up.
    (details) => details.history !== undefined && met(details),
  )
const asked = (id: string) =>
  shown(id, ({ history }) => history.some(({ kind, name }) => kind === 'asked' && name === 'large order'))
const listed = async (state: string, ...more: string[]) => {
  const { items } = await day.answered<Page<InstanceView>>('workflows', 'list', '--state', state, ...more)
  return items.map(({ id }) => id)
}

/** Up to its last step, which fails while the lorry is away. */
async function halted(id: string): Promise<void> {
  day.setBank('down')
  await start(id)
  await asked(id)
  await day.answered(...flow('approve', id, 'large order'))
  await day.answered(...flow('signal', id, 'address', '--payload', '{"street":"Low Road"}'))
  await shown(id, ({ attention }) => attention !== null)
}

it('starts an instance once, and refuses input that does not fit', async () => {
  const one = { workflow: 'check-out', id: 'o-1', tenant: 'default' }
  expect(await start('o-1')).toEqual(one)
  expect(await start('o-1')).toEqual(one)
  await asked('o-1')
  expect(await listed('open')).toEqual(['o-1'])
  expect(await listed('open', '--id', 'o-1', '--of-version', '1', '--after', '1h')).toEqual(['o-1'])
  expect(await listed('open', '--before', '1h')).toEqual([])
  expect(await listed('awaiting-approval')).toEqual(['o-1'])
  const { output } = await day.command(['workflows', 'list', '--state', 'awaiting-approval'])
  expect(output).toMatch(/\? awaits approval "large order".*asked .* ago/)
  const wrong = await day.refused(2, ...flow('start', '--input', '{"order":"o-2","amount":"much"}'))
  expect(wrong).toMatchObject({ field: '/input', message: expect.stringContaining('number') })
})

it('shows one that no worker has taken up as what it is, and not as one that is not there', async () => {
  const quiet = await Day.begin(checkout)
  try {
    await quiet.answered('migrate')
    const one = await quiet.answered(
      ...flow('start', '--id', 'early', '--input', '{"order":"early","amount":1}'),
    )
    expect(await quiet.answered(...flow('show', 'early'))).toEqual(one)
    const { code, output } = await quiet.command(flow('show', 'early'))
    expect([code, output]).toEqual([0, expect.stringContaining('no worker has taken it up yet')])
    expect(await quiet.refused(3, ...flow('show', 'earlier'))).toMatchObject({ code: 'NOT_FOUND' })
  } finally {
    await quiet.end()
  }
})

it('shows what is asked, for people, without control characters', async () => {
  const { output } = await day.command(flow('show', 'o-1'))
  expect(output).toContain('? asked large order')
  expect(output).toContain('o-1 is worth')
  expect([...output].filter((sign) => sign !== '\n' && /\p{Cc}/u.test(sign))).toEqual([])
})

it('is shown and decided from another app on the same log, which has none of its code', async () => {
  await start('o-other')
  await asked('o-other')
  const fromShop = (...parameters: string[]) =>
    eventspine([...parameters, '--app', shop], { environment: { DATABASE_URL: day.database.url } })
  const list = await fromShop('workflows', 'list', '--state', 'awaiting-approval', '--id', 'o-other')
  expect(list.output).toMatch(/\? awaits approval "large order"/)
  const show = await fromShop(...flow('show', 'o-other'))
  expect(show.output).toMatch(/state +\? awaits approval/)
  const refused = await fromShop(...flow('approve', 'o-other', 'large order', '--refuse'))
  expect([refused.code, refused.errors]).toEqual([0, ''])
  await shown('o-other', ({ endedAtMs }) => endedAtMs !== null)
  const begun = await fromShop(...flow('start'), '--json')
  expect([begun.code, begun.failure().code]).toEqual([3, 'WORKFLOW_UNKNOWN'])
})

it('goes on when it is approved and signalled, and comes to its end', async () => {
  day.setBank('up')
  expect(await listed('awaiting-approval')).toEqual(['o-1'])
  const decided = await day.answered(...flow('approve', 'o-1', 'large order', '--reason', 'known customer'))
  expect(decided).toMatchObject({ approved: true, by: expect.any(String) })
  await day.answered(...flow('signal', 'o-1', 'address', '--payload', '{"street":"High Road"}'))
  const { state, output, history } = await shown('o-1', ({ endedAtMs }) => endedAtMs !== null)
  expect({ state, output }).toEqual({ state: 'completed', output: 'to High Road' })
  expect(await listed('awaiting-approval')).toEqual([])
  expect(JSON.stringify(history.find(({ kind }) => kind === 'signal')?.data)).toContain('known customer')
  expect(await day.refused(1, ...flow('signal', 'o-1', 'address'))).toMatchObject({ code: 'WORKFLOW_ENDED' })
})

it('undoes what it did when it is refused, or cancelled', async () => {
  await start('refused')
  await asked('refused')
  await day.answered(...flow('approve', 'refused', 'large order', '--refuse', '--reason', 'unknown customer'))
  const refused = await shown('refused', ({ endedAtMs }) => endedAtMs !== null)
  expect(refused).toMatchObject({ state: 'compensated', failure: { message: 'unknown customer' } })
  await start('cancelled')
  await asked('cancelled')
  await day.answered(...flow('cancel', 'cancelled', '--reason', 'changed my mind'))
  const { state, history } = await shown('cancelled', ({ endedAtMs }) => endedAtMs !== null)
  expect(state).toBe('compensated')
  expect(history.find(({ kind }) => kind === 'cancel-requested')?.data).toMatchObject({
    reason: 'changed my mind',
  })
})

it('sends again what halts it, once the cause is mended', async () => {
  await halted('retried')
  expect(await listed('needs-attention')).toEqual(['retried'])
  const { output } = await day.command(flow('show', 'retried'))
  expect(output).toContain(
    'behind the point of no return, failed once and waits for a person: The lorry is away',
  )
  expect(output).toContain('workflows retry check-out retried')
  // Before it is mended: then it stands as before, and says what was tried.
  await day.answered(...flow('retry', 'retried'))
  await shown('retried', ({ attention }) => attention?.retries === 1)
  expect((await day.command(flow('show', 'retried'))).output).toMatch(/Retried by .+, and it failed again/)
  day.setBank('up')
  await day.answered(...flow('retry', 'retried'))
  const { state, output: answer } = await shown('retried', ({ endedAtMs }) => endedAtMs !== null)
  expect({ state, answer }).toEqual({ state: 'completed', answer: 'to Low Road' })
  expect(await listed('needs-attention')).toEqual([])
})

it('ends it where it stands, and goes on from a step as another instance', async () => {
  await halted('given-up')
  await day.answered(...flow('terminate', 'given-up', '--reason', 'by hand'))
  const ended = await shown('given-up', ({ endedAtMs }) => endedAtMs !== null)
  expect(ended).toMatchObject({ state: 'terminated', attention: null })
  const unknown = await day.refused(3, ...flow('restart', 'given-up', '--from', 'no such step'))
  expect(unknown).toMatchObject({ message: expect.stringContaining('ship') })
  day.setBank('up')
  const next = await day.answered<{ id: string }>(...flow('restart', 'given-up', '--from', 'ship'))
  expect(next).toMatchObject({ id: 'given-up~2', of: 'given-up' })
  const { state, history } = await shown('given-up~2', ({ endedAtMs }) => endedAtMs !== null)
  expect(state).toBe('completed')
  expect(history.filter(({ kind, name }) => kind === 'step-done' && name === 'charge')).toHaveLength(1)
  const letters = await day.answered<Page<DeadLetter>>('dead', 'list', '--subscription', 'workflow-check-out')
  expect(letters.items).toEqual([])
})

it('tells an instance, a workflow and a tenant that are not there', async () => {
  expect(await day.refused(3, ...flow('show', 'nobody'))).toMatchObject({ code: 'NOT_FOUND' })
  expect(await day.refused(3, ...flow('cancel', 'nobody'))).toMatchObject({ code: 'NOT_FOUND' })
  expect(await day.refused(3, ...flow('retry', 'o-1', '--tenant', 'acme'))).toBeTruthy()
})

it('has told who did what', async () => {
  const { items } = await day.answered<Page<{ action: string; actor: string }>>('audit')
  expect(items.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['workflow.retry', 'dead-letters.discard']),
  )
})

it('lists schedules, and has one run', async () => {
  const { schedules } = await eventually(
    () => day.answered<{ readonly schedules: readonly ScheduleView[] }>('schedules'),
    (answer) => answer.schedules[0]?.nextAtMs !== null,
  )
  expect(schedules).toMatchObject([{ name: 'close-books', event: 'books.closed', lateMs: 0 }])
  const { event } = await day.answered<{ readonly event: string }>('schedules', 'run', 'close-books')
  expect(event).toEqual(expect.any(String))
  await eventually(
    () => day.answered<Page<{ readonly type: string }>>('events', 'list', '--type', 'books.closed'),
    ({ items }) => items.length === 1,
  )
  expect(await day.refused(3, 'schedules', 'run', 'weekly')).toMatchObject({
    message: expect.stringContaining('Known: close-books'),
  })
})
