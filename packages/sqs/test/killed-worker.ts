// A worker of the test that kills it: brings in the messages of a queue, and sends events to another.
import { defineApp, defineEvent, Eventspine, jsonLogger } from 'eventspine'
import { z } from 'zod'
import { sqsSource, toSqs } from '../src/index.js'

const variable = (name: string) => process.env[name] ?? ''
const client = {
  ...{ region: 'us-east-1', endpoint: variable('SQS_ENDPOINT') },
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
}
const placed = defineEvent({
  type: 'orders.placed',
  schema: z.object({ n: z.int() }),
  key: ({ n }) => String(n % 7),
})

const orders = sqsSource({
  ...{ name: 'orders', queueUrl: variable('SQS_SOURCE'), client, visibilitySeconds: 2, waitSeconds: 1 },
  to: (message) => ({ event: placed, data: message.json() }),
})
const onward = toSqs({ name: 'onward', on: placed, queueUrl: variable('SQS_TARGET'), client })

const spine = new Eventspine(defineApp({ name: 'shop', sources: [orders], subscriptions: [onward] }), {
  ...{ databaseUrl: variable('DATABASE_URL'), schema: variable('KILL_SCHEMA'), shutdownMs: 5_000 },
  logger: jsonLogger('warn', Date.now, (line) => process.stdout.write(line)),
})
await spine.start()
process.once('SIGTERM', async () => {
  await spine.stop()
  process.stdout.write('stopped\n')
})
process.stdout.write('ready\n')
