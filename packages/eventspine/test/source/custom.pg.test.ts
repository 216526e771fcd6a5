// Messages that a source of the app's own brings in: what becomes of them, in which order, and how often.
import { defineApp, defineEvent, EventspineError } from 'eventspine'
import { customSource, type Message, type SourceRun } from 'eventspine/source'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { freshSchema, running, until } from '../support.js'

const measured = defineEvent({
  type: 'wards.measured',
  schema: z.object({ n: z.int() }),
})

/** What the last one was run with. */
async function started(to: (message: Message) => object | null, schema = freshSchema()) {
  let run: SourceRun | undefined
  const source = customSource({
    name: 'ward',
    to: to as never,
    run: (given) => {
      run = given
      return new Promise<void>((resolve) => given.signal.addEventListener('abort', () => resolve()))
    },
  })
  const spine = await running(defineApp({ name: 'wards', events: [measured], sources: [source] }), schema)
  return { spine, run: await until(() => run), events: () => eventsOf(spine) }
}

const eventsOf = async (spine: Awaited<ReturnType<typeof running>>) =>
  (await spine.operator().events({ type: 'wards.measured', order: 'oldest', limit: 500 })).items
const json = (message: Message) => ({ event: measured, data: message.json() })

test('a message becomes an event once, under its id, in its trace', async () => {
  const { run, events } = await started(json)
  const traceparent = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`
  const message = { id: 'm1', headers: { TraceParent: traceparent }, body: '{"n":1}' }
  const [first, again] = await Promise.all([run.receive(message), run.receive(message)])
  expect(first).toMatchObject({ outcome: 'published', events: [{ id: 'm1', source: '/sources/ward' }] })
  expect(again).toEqual(first)
  expect((await run.receive({ body: Buffer.from('{"n":2}') })).outcome).toBe('published')
  const [one, two] = await until(async () => ((await events()).length === 2 ? events() : null))
  expect(one).toMatchObject({ id: 'm1', data: { n: 1 } })
  expect(one?.traceparent).toContain('a1'.repeat(16))
  expect(two).toMatchObject({ data: { n: 2 } })
})

test('messages reach the log in the order in which they are received, many at once', async () => {
  const { run, events, spine } = await started(json)
  await Promise.all(Array.from({ length: 2_500 }, (_, n) => run.receive({ id: `m${n}`, body: `{"n":${n}}` })))
  const stored = await until(async () => ((await events()).length === 500 ? events() : null))
  expect(stored.map(({ data }) => (data as { n: number }).n)).toEqual(
    Array.from({ length: 500 }, (_, n) => n),
  )
  const [received] = (await spine.metrics()).filter(({ name }) => name === 'eventspine_source_messages_total')
  expect(received).toMatchObject({ labels: { source: 'ward', outcome: 'published' }, value: 2_500 })
})

test('what cannot become an event is kept as it came, and is sent again when it was mended', async () => {
  const { run, events, spine } = await started(json)
  const headers = { topic: 'wards/1\u0000', __proto__x: '1', 'X-Long': 'x'.repeat(2_000), ['__proto__']: 'p' }
  expect((await run.receive({ id: 'm1', headers, body: '{"n":"many"}' })).outcome).toBe('kept')
  expect((await run.receive({ id: 'm1', headers, body: '{"n":"many"}' })).outcome).toBe('kept')
  const operator = spine.operator()
  const letters = async () =>
    (await operator.deadLetters({ subscription: 'source-ward', state: 'dead' })).items
  const [letter] = await until(async () => ((await letters()).length === 1 ? letters() : null))
  const [kept] = (await operator.events({ type: 'eventspine.message-kept' })).items
  expect(kept?.data).toMatchObject({
    ...{ id: 'm1', body: '{"n":"many"}' },
    headers: { topic: 'wards/1\ufffd', 'x-long': 'x'.repeat(1_000) },
  })
  await operator.redrive({
    filter: { ids: [letter?.id as string] },
    data: { ...(kept?.data as object), body: '{"n":7}' },
    actor: 'ann',
  })
  expect(await until(async () => (await events())[0])).toMatchObject({ id: 'm1', data: { n: 7 } })
})

test('null is of no interest, and several events are stored together', async () => {
  const { run, spine } = await started((message) => {
    const numbers = message.json() as number[]
    return numbers.length === 0 ? null : numbers.map((n) => ({ event: measured, data: { n } }))
  })
  expect(await run.receive({ body: '[]' })).toEqual({ outcome: 'ignored', events: [] })
  expect((await run.receive({ id: 'm1', body: '[1,2]' })).events).toMatchObject([
    { id: 'm1' },
    { id: 'm1:2' },
  ])
  expect((await run.receive({ id: 'm2', body: '[3,4.5]' })).outcome).toBe('kept')
  expect((await spine.operator().events({ type: 'wards.measured' })).items).toHaveLength(2)
})

test('what is no message is refused, and nothing is stored', async () => {
  const { run, spine } = await started(json)
  const large = Buffer.alloc(256 * 1024 + 1)
  await expect(run.receive({ body: large })).rejects.toMatchObject({ code: 'EVENT_TOO_LARGE' })
  await expect(run.receive({ body: undefined as never })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  expect((await spine.operator().events()).items).toEqual([])
})

test('an app says what is wrong with its sources', () => {
  const wrong = customSource({
    name: 'Wards',
    to: json,
    run: undefined as never,
    where: 'here' as never,
    inFlightMax: 0,
  })
  const define = () => defineApp({ name: 'wards', events: [measured], sources: [wrong, {} as never] })
  expect(define).toThrow(EventspineError)
  for (const fault of [
    /a name is lower-case/,
    /run must bring/,
    /where is "here"/,
    /inFlightMax is 0/,
    /is not made by/,
  ])
    expect(define).toThrow(fault)
})
