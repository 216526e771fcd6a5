// What leaves the process about its work: one trace from publish to the last handler, metrics that Prometheus can
// read, and log lines that nothing in an event can break. No payload is in any of them (I77).
import { context, propagation, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  jsonLogger,
  PermanentError,
  retries,
  TransientError,
} from 'eventspine'
import pg from 'pg'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { spanAttributes, spanNames } from '../src/observe/names.js'
import { parsePrometheus } from './observe/prometheus.js'
import { afterTest, databaseUrl, freshSchema, quiet, running, until } from './support.js'

const fast = retries.standard({ timeScale: 0.005 })
const placed = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ n: z.int(), card: z.string().optional() }),
  key: ({ n }) => `k${n}`,
})
const shipped = defineEvent({ type: 'orders.order-shipped', schema: z.object({ n: z.int() }) })

/** publish → ship → publish → tell, and the trace contexts that the handlers saw. */
function chain() {
  const traceparents: Record<string, string> = {}
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'ship',
        on: placed,
        handle: async (event, { publish }) => {
          traceparents['ship'] = event.traceparent
          await publish(shipped, { n: event.data.n })
        },
      }),
      defineSubscription({
        name: 'tell',
        on: shipped,
        handle: (event) => void (traceparents['tell'] = event.traceparent),
      }),
    ],
  })
  return { app, traceparents }
}

function tracing(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  provider.register()
  afterTest(async () => {
    await provider.shutdown()
    trace.disable()
    context.disable()
    propagation.disable()
  })
  return exporter
}

const partsOf = (traceparent: string) => {
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
  return { traceId, spanId, flags }
}

it('is one trace from publish to the last handler, under the names of the conventions', async () => {
  const exporter = tracing()
  const { app } = chain()
  const spine = await running(app, freshSchema())
  const request = trace.getTracer('tests').startSpan('POST /orders')
  const { id } = await context.with(trace.setSpan(context.active(), request), () =>
    spine.publish(placed, { n: 1 }),
  )
  request.end()
  const spans = await until(() => {
    const ended = exporter.getFinishedSpans()
    return ended.length >= 5 ? ended : undefined
  })
  await quiet(spine)
  const named = (name: string) => spans.find((span) => span.name === name)
  const publish = named(`${spanNames.publish} orders.order-placed`)
  const ship = named(`${spanNames.handle} ship`)
  const onward = named(`${spanNames.publish} orders.order-shipped`)
  const tell = named(`${spanNames.handle} tell`)
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1)
  expect(publish?.parentSpanContext?.spanId).toBe(request.spanContext().spanId)
  expect(ship?.parentSpanContext?.spanId).toBe(publish?.spanContext().spanId)
  expect(onward?.parentSpanContext?.spanId).toBe(ship?.spanContext().spanId)
  expect(tell?.parentSpanContext?.spanId).toBe(onward?.spanContext().spanId)
  expect(publish?.attributes).toMatchObject({
    [spanAttributes.system]: 'eventspine',
    [spanAttributes.operation]: 'send',
    [spanAttributes.destination]: 'orders.order-placed',
    [spanAttributes.tenant]: 'default',
  })
  expect(ship?.attributes).toMatchObject({
    [spanAttributes.operation]: 'process',
    [spanAttributes.messageId]: id,
    [spanAttributes.subscription]: 'ship',
    [spanAttributes.deliveryId]: expect.stringMatching(/^ship\/\d+\.\d+$/),
    [spanAttributes.attempt]: 1,
    [spanAttributes.outcome]: 'done',
  })
})

it('marks the spans of attempts that failed with their category, and the publish that was refused', async () => {
  const exporter = tracing()
  const charge = defineSubscription({
    name: 'charge',
    on: placed,
    retry: fast,
    handle: (_event, { attempt }) => {
      throw attempt === 1 ? new TransientError('busy') : new PermanentError('closed')
    },
  })
  const spine = await running(defineApp({ name: 'orders', subscriptions: [charge] }), freshSchema())
  await expect(spine.publish(placed, { n: 0.5 })).rejects.toMatchObject({ code: 'EVENT_INVALID' })
  await spine.publish(placed, { n: 1 })
  await quiet(spine)
  const spans = exporter.getFinishedSpans()
  const seen = spans
    .filter((span) => span.name === 'handle charge')
    .map(({ attributes, status }) => [
      attributes[spanAttributes.attempt],
      attributes[spanAttributes.outcome],
      attributes[spanAttributes.category],
      status,
    ])
  expect(seen).toEqual([
    [1, 'retry', 'transient', { code: 2, message: 'busy' }],
    [2, 'dead', 'permanent', { code: 2, message: 'closed' }],
  ])
  expect(spans.filter((span) => span.name.startsWith('publish')).map(({ status }) => status.code)).toEqual([
    2, 0,
  ])
})

it('chains without an SDK too: the trace stays, the span changes', async () => {
  const { app, traceparents } = chain()
  const spine = await running(app, freshSchema())
  const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await spine.publish(placed, { n: 1 }, { traceparent: given })
  await until(() => traceparents['tell'])
  expect(traceparents['ship']).toBe(given)
  expect(partsOf(traceparents['tell'] ?? '')).toMatchObject({ traceId: partsOf(given).traceId, flags: '01' })
  expect(partsOf(traceparents['tell'] ?? '').spanId).not.toBe(partsOf(given).spanId)
  await quiet(spine)
})

it.each([['without an SDK', false] as const, ['with an SDK', true] as const])(
  'continues what a publisher hands over and begins anew where it is broken, %s',
  async (_, recording) => {
    const exporter = recording ? tracing() : undefined
    const { app, traceparents } = chain()
    const spine = await running(app, freshSchema())
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    await spine.publish(placed, { n: 0 }, { traceparent: `00-${traceId}-b7ad6b7169203331-01` })
    await until(() => traceparents['tell'])
    expect(partsOf(traceparents['tell'] ?? '').traceId).toBe(traceId)
    const broken = [
      '',
      'nonsense',
      `00-${traceId}-b7ad6b7169203331`,
      `00-${traceId}-b7ad6b7169203331-zz`,
      `ff-${traceId}-b7ad6b7169203331-01`,
      `00-${traceId.toUpperCase()}-b7ad6b7169203331-01`,
      `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
      `00-${traceId}-b7ad6b7169203331-01\r\nx: y`,
    ]
    for (const traceparent of broken) {
      const { id } = await spine.publish(placed, { n: 1 }, { traceparent })
      const seen = (await spine.operator().event(id))?.event.traceparent ?? ''
      expect(seen, traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
      expect(partsOf(seen).traceId, traceparent).not.toBe(traceId)
    }
    await quiet(spine)
    const own = exporter?.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId) ?? []
    expect(own).toHaveLength(recording ? 4 : 0)
  },
)

const canary = 'canary-4929-1234-5678'

/** One subscription that fails in both ways, one whose handler runs until `release`, and one to be paused. */
function troubled() {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: placed,
        retry: retries.standard({ attemptsMax: 5 }),
        breaker: { name: 'bank "A\\B"\nC', failures: 1, cooldownMs: 60_000, scope: 'tenant' },
        handle: ({ data }) => {
          throw data.n === 0 ? new PermanentError('no') : new TransientError('busy')
        },
      }),
      defineSubscription({ name: 'hold', on: placed, handle: () => held }),
      defineSubscription({ name: 'later', on: placed, handle: () => {} }),
    ],
  })
  return { app, release }
}

it('says in Prometheus text what an operator needs, and nothing of the payload', async () => {
  const schema = freshSchema()
  const { app, release } = troubled()
  const spine = await running(app, schema)
  await spine.publish(shipped, { n: 0 })
  await quiet(spine)
  await spine.operator().pause('later', 'ada')
  const bystander = new pg.Client({ connectionString: databaseUrl })
  await bystander.connect()
  afterTest(() => bystander.end())
  await bystander.query('BEGIN')
  await bystander.query('SELECT pg_current_xact_id()')
  for (const n of [0, 1]) await spine.publish(placed, { n, card: canary }, { tenant: 'te"n\\ant' })
  await spine.publish(placed, { n: 0.5, card: canary }).catch(() => {})
  await until(async () => {
    const breakers = await spine.operator().breakers()
    return (
      breakers.some(({ state }) => state === 'open') &&
      (await spine.operator().subscriptions()).every((each) => each.name !== 'charge' || each.dead === 1)
    )
  })
  await until(async () => {
    const samples = parsePrometheus(await spine.prometheus())
    return samples.some(
      ({ name, labels, value }) =>
        name.endsWith('_retrying') && labels['subscription'] === 'charge' && value === 1,
    )
  })
  const text = await spine.prometheus()
  expect(text).not.toContain(canary)
  const samples = parsePrometheus(text)
  const value = (name: string, labels: Record<string, string> = {}) =>
    samples.find(
      (sample) =>
        sample.name === `eventspine_${name}` &&
        Object.entries(labels).every(([label, wanted]) => sample.labels[label] === wanted),
    )?.value
  expect(value('events_published_total', { type: placed.type })).toBe(2)
  expect(value('events_refused_total', { code: 'EVENT_INVALID' })).toBe(1)
  expect(value('deliveries_total', { subscription: 'charge', outcome: 'dead' })).toBe(1)
  expect(value('deliveries_total', { subscription: 'charge', outcome: 'retry' })).toBe(1)
  expect(value('handlers_in_flight', { subscription: 'hold' })).toBe(2)
  expect(value('handlers_in_flight', { subscription: 'charge' })).toBe(0)
  expect(value('subscription_lag_events', { subscription: 'later', cell: 'main' })).toBe(2)
  expect(value('subscription_lag_seconds', { subscription: 'later' })).toBeGreaterThan(0)
  expect(value('subscription_lag_events', { subscription: 'charge' })).toBe(0)
  expect(value('subscription_dead_letters', { subscription: 'charge' })).toBe(1)
  expect(value('breaker_open', { breaker: 'bank "A\\B"\nC', tenant: 'te"n\\ant' })).toBe(1)
  expect(value('database_oldest_transaction_seconds')).toBeGreaterThan(0)
  expect(value('handler_seconds_count', { subscription: 'charge' })).toBe(2)
  expect(value('handler_seconds_bucket', { subscription: 'charge', le: '+Inf' })).toBe(2)
  release()
  await spine.operator().resume('later', 'ada')
  await bystander.query('ROLLBACK')
  await until(async () => (await spine.operator().subscriptions()).every(({ lagEvents }) => lagEvents === 0))
})

it('logs one line for one record, which names tenant, correlation and event, and no payload', async () => {
  const output: string[] = []
  const app = defineApp({
    name: 'orders',
    subscriptions: [
      defineSubscription({
        name: 'charge',
        on: placed,
        retry: fast,
        handle: (_event, { log, attempt }) => {
          const itself: Record<string, unknown> = {
            level: 'debug',
            tenant: 'forged',
            big: 1n,
            error: new Error('in\nside'),
          }
          itself['itself'] = { itself }
          log.warn('charging\r\n{"level":"error","message":"forged"}', itself)
          if (attempt === 1)
            throw new TransientError('two\r\nlines\u2028\u2029 \u001b[31mred\u009b31m\u007f "quoted"')
          throw new PermanentError('\ud83d half')
        },
      }),
    ],
  })
  const logger = jsonLogger('debug', Date.now, (line) => output.push(line))
  const spine = await running(app, freshSchema(), { logger })
  const { id } = await spine.publish(placed, { n: 1, card: canary }, { tenant: 'acme', correlationId: 'c-1' })
  await spine.publish(placed, { n: 'x', card: canary } as never).catch(() => {})
  await quiet(spine)
  expect(output.join('')).not.toContain(canary)
  for (const line of output) {
    expect(line.endsWith('\n')).toBe(true)
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
  }
  const records = output.map((line) => JSON.parse(line) as Record<string, unknown>)
  const own = records.filter((record) => record['event'] === id)
  expect(own.map(({ level, message }) => [level, String(message).slice(0, 8)])).toEqual([
    ['warn', 'charging'],
    ['warn', 'delivery'],
    ['warn', 'charging'],
    ['error', 'delivery'],
  ])
  for (const record of own) {
    expect(record).toMatchObject({ tenant: 'acme', correlation: 'c-1', subscription: 'charge' })
    expect(Object.keys(record).slice(0, 3)).toEqual(['time', 'level', 'message'])
  }
  expect(own[0]).toMatchObject({ big: '1', error: { name: 'Error', message: 'in\nside' } })
  expect(JSON.stringify(own[0]?.['itself'])).toContain('"[itself]"')
})
