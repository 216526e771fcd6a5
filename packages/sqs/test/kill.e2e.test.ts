// Workers that are killed when their messages are stored and not yet deleted, and when an event is with SQS and not yet settled:
// every message becomes one event, and every event is one message of the other queue.
import { expect, test, vi } from 'vitest'
import { databaseUrl, freshSchema, sql, until, WorkerProcess } from '../../../test/spine.js'
import { type TestQueue, TestSqs } from './queue.js'

vi.setConfig({ testTimeout: 180_000 })
const kills = 5
const messagesPerKill = 120
const messages = kills * messagesPerKill

const bodies = (kill: number) =>
  Array.from({ length: messagesPerKill }, (_, n) => ({ MessageBody: `{"n":${kill * messagesPerKill + n}}` }))

/** A worker that brings in one queue and sends to the other. */
function workerOf(schema: string, source: TestQueue, target: TestQueue): WorkerProcess {
  return new WorkerProcess(new URL('./killed-worker.ts', import.meta.url), {
    ...{ DATABASE_URL: databaseUrl, KILL_SCHEMA: schema, SQS_ENDPOINT: source.sqs.settings.endpoint },
    ...{ SQS_SOURCE: source.url, SQS_TARGET: target.url },
  })
}

test('every message becomes one event, and every event one message, however often a worker is killed', async () => {
  const schema = freshSchema()
  const sqs = await TestSqs.open()
  const [source, target] = [sqs.queue(), sqs.queue('onward.fifo', { FifoQueue: 'true' })]
  for (let kill = 0; kill < kills; kill++) {
    // It has stored, and may not delete; or it has sent, and does not hear so.
    const held =
      kill % 2 === 0 ? sqs.hold('DeleteMessageBatch', 'not made') : sqs.hold('SendMessageBatch', 'unheard')
    await source.send(bodies(kill))
    const victim = workerOf(schema, source, target)
    await held
    await victim.kill()
  }
  sqs.door = () => 'made'
  const last = workerOf(schema, source, target)
  await source.empty()
  await until(() => target.left.waiting >= messages, 60_000)
  // It ends by itself, too: no connection to SQS holds it.
  expect(await last.stop()).toBe(0)
  const [ledger] = await sql(
    `SELECT count(*)::int AS events, count(DISTINCT data ->> 'n')::int AS numbers FROM ${schema}.event
     WHERE type = 'orders.placed'`,
  )
  expect(ledger).toEqual({ events: messages, numbers: messages })
  const received = await target.take(messages)
  expect(new Set(received.map(({ Body }) => Body)).size).toBe(messages)
  expect(target.left).toEqual({ waiting: 0, inHand: 0 })
})
