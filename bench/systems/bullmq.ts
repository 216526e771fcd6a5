// BullMQ as its production guide says (docs.bullmq.io/guide/going-to-production, guide/queues/adding-bulks,
// guide/workers/concurrency): jobs added in bulk and removed when done, one worker with high concurrency, Redis with
// AOF everysec and noeviction. An acknowledged job may be up to a second away from the disk: the peers on Postgres wait.

import { setTimeout as delay } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Ledger } from '../core/ledger.js'
import type { Payload } from '../core/payload.js'
import { handlerName, insertWritten, type Part, type Place, type System } from './system.js'

const concurrency = 100
const rowConnectionsMax = 20
const defaultJobOptions = { removeOnComplete: true, removeOnFail: 1_000 }

export const bullmq: System = {
  async prepare({ redisPort }) {
    const redis = new Redis(portOf(redisPort), '127.0.0.1')
    await redis.flushall()
    redis.disconnect()
  },

  async open(place, part, ledger) {
    const connection = { host: '127.0.0.1', port: portOf(place.redisPort), maxRetriesPerRequest: null }
    const names = Array.from({ length: part.subscriptions }, (_, index) => handlerName(index))
    const queues = names.map((name) => new Queue<Payload>(name, { connection, defaultJobOptions }))
    const rows = part.transactional ? poolOf(place) : undefined
    const workers = part.works ? names.map((name, index) => workerOf(name, index)) : []
    await Promise.all([...queues, ...workers].map((each) => each.waitUntilReady()))

    function workerOf(name: string, index: number) {
      const worker = new Worker<Payload>(name, (job) => handle(job.data, index, part, ledger, rows), {
        connection,
        concurrency,
      })
      worker.on('error', (error) => process.stderr.write(`bullmq: ${error.message}\n`))
      return worker
    }

    return {
      async publish(payloads) {
        await Promise.all(
          queues.map((queue) => queue.addBulk(payloads.map((data) => ({ name: 'measured', data })))),
        )
      },
      async stop() {
        await Promise.all(workers.map((worker) => worker.close()))
        await Promise.all(queues.map((queue) => queue.close()))
        await rows?.end()
      },
    }
  },
}

async function handle(
  payload: Payload,
  index: number,
  part: Part,
  ledger: Ledger,
  rows: pg.Pool | undefined,
): Promise<void> {
  await rows?.query(insertWritten, [payload.n])
  if (part.handlerMs > 0) await delay(part.handlerMs)
  ledger.handle(payload, index)
}

const poolOf = ({ databaseUrl }: Place) =>
  new pg.Pool({ connectionString: databaseUrl, max: rowConnectionsMax })

function portOf(redisPort: number | null): number {
  if (redisPort === null) throw new Error('BullMQ needs Redis, and none is running')
  return redisPort
}
