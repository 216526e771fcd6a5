// A worker of the test that kills it: brings in the jobs of a queue, and makes jobs of another from them.
import { defineApp, defineEvent, Eventspine, jsonLogger } from 'eventspine'
import { z } from 'zod'
import { bullmqSource, toBullmq } from '../src/index.js'

const variable = (name: string) => process.env[name] ?? ''
const connection = { host: '127.0.0.1', port: Number(variable('REDIS_PORT')) }
const placed = defineEvent({ type: 'orders.placed', schema: z.object({ n: z.int() }) })

const orders = bullmqSource({
  ...{ name: 'orders', queue: 'orders', connection, options: { lockDuration: 1_000, stalledInterval: 300 } },
  to: (message) => ({ event: placed, data: message.json() }),
})
const onward = toBullmq({ name: 'onward', on: placed, queue: 'onward', connection })

const spine = new Eventspine(defineApp({ name: 'shop', sources: [orders], subscriptions: [onward] }), {
  ...{ databaseUrl: variable('DATABASE_URL'), schema: variable('KILL_SCHEMA'), shutdownMs: 5_000 },
  logger: jsonLogger('warn', Date.now, (line) => process.stdout.write(line)),
})
await spine.start()
process.once('SIGTERM', () => void spine.stop())
process.stdout.write('ready\n')
