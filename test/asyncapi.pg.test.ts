// The contracts of an app with every kind of source, as AsyncAPI.
import { bullmqSource } from '@eventspine/bullmq'
import { mqttBroker, mqttSource } from '@eventspine/mqtt'
import { sqsSource } from '@eventspine/sqs'
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { customSource, fileSource, folderSource, tableSource, webhook } from 'eventspine/source'
import { webhooksOut } from 'eventspine/webhooks'
import { workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { exported, faultsOf, referencesOf } from './asyncapi.js'

const category: z.ZodType<{ name: string; parts: unknown[] }> = z.lazy(() =>
  z.object({ name: z.string(), parts: z.array(category) }),
)
const taken = defineEvent({
  type: 'wards.reading-taken',
  schema: z.object({ device: z.string(), pulse: z.number() }),
  description: 'A device measured <something> & more',
})
const listed = defineEvent({ type: 'shop.category-listed', schema: category })
const older = defineEvent({ type: 'shop.order', version: 1, schema: z.object({ id: z.string() }) })
const newer = defineEvent({
  ...{ type: 'shop.order', version: 2, schema: z.object({ id: z.string(), lines: z.array(z.string()) }) },
  upcast: { 1: ({ id }: { id: string }) => ({ id, lines: [] }) },
})
const person = defineEvent({
  type: 'shop.registered',
  schema: z.object({ customer: z.string(), email: z.string() }),
})
const to = () => null
const table = tableSource({
  ...{ name: 'orders-table', table: 'public.no_such_orders', type: 'shop.order-row', key: 'id' },
  columns: ['id', 'status'],
})

const everySource = defineApp({
  name: 'every-source',
  events: [taken, listed, older, newer, person],
  subscriptions: [
    defineSubscription({ name: 'all-of-the-shop', on: 'shop.*', handle: () => {}, external: false }),
    defineSubscription({ name: 'rows', on: table.event, handle: () => {} }),
  ],
  workflows: [
    workflow({ name: 'stay', on: { event: taken, id: ({ data }) => data.device }, run: async () => {} }),
  ],
  webhooks: [webhooksOut({ name: 'partners', on: newer, endpoints: () => [], endpoint: () => null })],
  sources: [
    table,
    webhook({ name: 'hook', verify: () => ({ id: undefined }), to }),
    fileSource({ name: 'file', format: 'csv', to }),
    folderSource({ name: 'folder', directory: '/no/such/folder', to }),
    customSource({ name: 'custom', to, run: async () => {} }),
    mqttSource({ name: 'mqtt', url: 'mqtt://127.0.0.1:1', topics: ['a/{b}'], to }),
    mqttBroker({ name: 'broker', port: 1, devices: async () => null, to }),
    sqsSource({ name: 'sqs', queueUrl: 'https://sqs.invalid/1/queue', to }),
    bullmqSource({ name: 'bullmq', queue: 'jobs', connection: { host: '127.0.0.1', port: 1 }, to }),
  ],
})

test('is AsyncAPI 3.0 for an app with every kind of source', async () => {
  const document = await exported(everySource)
  expect(faultsOf(document)).toEqual([])
  expect(Object.keys(document.channels).sort()).toEqual([
    ...['shop.category-listed', 'shop.order', 'shop.order-row', 'shop.registered', 'wards.reading-taken'],
  ])
  expect(Object.keys(document.operations)).toEqual(
    expect.arrayContaining(['all-of-the-shop.takes.shop.order', 'rows.takes.shop.order-row']),
  )
  // A schema that refers to itself is read from where it lies in the document.
  expect(referencesOf(document.components.messages).length).toBeGreaterThan(0)
})

test('is judged: what is wrong with a document is found', async () => {
  const document = await exported(defineApp({ name: 'judged', events: [taken] }))
  const { channels, components } = document
  expect(faultsOf(document)).toEqual([])
  expect(faultsOf({ ...document, channels: { ...channels, more: { address: 5 } } })).not.toEqual([])
  expect(faultsOf({ ...document, operations: { read: { action: 'eat', channel: {} } } })).not.toEqual([])
  expect(
    faultsOf({ ...document, channels: { a: { messages: { b: { $ref: '#/components/none' } } } } }),
  ).toEqual(['#/components/none leads nowhere'])
  const messages = {
    ...components.messages,
    wrong: { payload: { schemaFormat: 'x', schema: { type: 'no' } } },
  }
  expect(faultsOf({ ...document, components: { messages } })).toEqual(['wrong is no JSON Schema'])
})
