// Every way of publishing has its producer span, and the event carries it: publishMany one for each event, publish(tx)
// and the publishing of a handler as publish itself.
import { context, propagation, SpanKind, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { defineApp, defineEvent, defineSubscription, PermanentError } from 'eventspine'
import pg from 'pg'
import { beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import { spanAttributes } from '../src/observe/names.js'
import { afterTest, databaseUrl, freshSchema, quiet, running, until } from './support.js'

const placed = defineEvent({ type: 'orders.order-placed', schema: z.object({ n: z.int() }) })
const shipped = defineEvent({ type: 'orders.order-shipped', schema: z.object({ n: z.int() }) })
const app = defineApp({ name: 'orders', events: [placed, shipped] })

let exporter: InMemorySpanExporter

beforeEach(() => {
  exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  afterTest(async () => {
    await provider.shutdown()
    trace.disable()
    context.disable()
    propagation.disable()
  })
})

const producers = () => exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.PRODUCER)
const traceparentOf = (span: ReturnType<typeof producers>[number] | undefined) =>
  `00-${span?.spanContext().traceId}-${span?.spanContext().spanId}-01`

/** Runs `work` below an active span; answers its id too. */
async function inRequest<Result>(work: () => Promise<Result>) {
  const request = trace.getTracer('tests').startSpan('POST /orders')
  const result = await context.with(trace.setSpan(context.active(), request), work)
  request.end()
  return { result, spanId: request.spanContext().spanId }
}

it('publishMany: one span for each event, below the active one or the one that the event names', async () => {
  const spine = await running(app, freshSchema())
  const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { result, spanId } = await inRequest(() =>
    spine.publishMany([
      { event: placed, data: { n: 1 } },
      { event: shipped, data: { n: 2 }, options: { tenant: 'acme', traceparent: given } },
    ]),
  )
  const [first, second] = producers()
  expect(producers()).toHaveLength(2)
  expect(first).toMatchObject({ name: 'publish orders.order-placed', parentSpanContext: { spanId } })
  expect(second).toMatchObject({
    name: 'publish orders.order-shipped',
    parentSpanContext: { spanId: 'b7ad6b7169203331' },
    attributes: { [spanAttributes.operation]: 'send', [spanAttributes.tenant]: 'acme' },
  })
  for (const [index, span] of [first, second].entries()) {
    const stored = await spine.operator().event(result[index]?.id ?? '')
    expect(stored?.event.traceparent).toBe(traceparentOf(span))
  }
})

it('publishMany: all of its spans fail when it does', async () => {
  const spine = await running(app, freshSchema())
  const many = spine.publishMany([1, 0.5, 3].map((n) => ({ event: placed, data: { n } })))
  await expect(many).rejects.toMatchObject({ code: 'EVENT_INVALID', field: '/1/data/n' })
  expect(producers().map(({ status }) => status.code)).toEqual([2, 2, 2])
})

it('publish(tx): a span of its own, which fails with it', async () => {
  const schema = freshSchema()
  const spine = await running(app, schema)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  afterTest(() => client.end())
  await client.query('BEGIN')
  const { result, spanId } = await inRequest(() => spine.publish(client, placed, { n: 1 }))
  await client.query('COMMIT')
  const [span] = producers()
  expect(span).toMatchObject({ name: 'publish orders.order-placed', parentSpanContext: { spanId } })
  expect((await spine.operator().event(result.id))?.event.traceparent).toBe(traceparentOf(span))
  await expect(spine.publish({}, placed, { n: 2 })).rejects.toMatchObject({
    code: 'TRANSACTION_UNSUPPORTED',
  })
  expect(producers().map(({ status }) => status.code)).toEqual([0, 2])
})

it('a handler: its events stand below its span, refused ones are marked', async () => {
  const told: string[] = []
  const ship = defineSubscription({
    name: 'ship',
    on: placed,
    handle: async ({ data }, { publish }) => {
      await publish(shipped, { n: data.n }, { id: 'shipped' })
      await publish(shipped, { n: 0.5 }).catch(() => {})
      throw new PermanentError('after all')
    },
  })
  const send = defineSubscription({
    name: 'send',
    on: placed,
    handle: (event, { publish }) => publish(shipped, { n: event.data.n }),
  })
  const tell = defineSubscription({
    name: 'tell',
    on: shipped,
    handle: (event) => void told.push(event.traceparent),
  })
  const spine = await running(defineApp({ name: 'orders', subscriptions: [ship, send, tell] }), freshSchema())
  await spine.publish(placed, { n: 1 })
  await until(() => told.length > 0)
  await quiet(spine)
  const spans = exporter.getFinishedSpans()
  const below = (name: string) => {
    const parent = spans.find((span) => span.name === name)?.spanContext().spanId
    return producers().filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
  }
  expect(below('handle send')).toHaveLength(1)
  expect(told).toEqual([traceparentOf(below('handle send')[0])])
  expect(below('handle ship').map(({ status }) => status.code)).toEqual([0, 2])
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1)
})
