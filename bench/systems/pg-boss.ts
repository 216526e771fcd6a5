// pg-boss as its documentation tunes it (github.com/timgit/pg-boss, docs/api/workers.md): batches on both sides,
// fetching on while batches are full, woken by NOTIFY, several local workers; `transactional` where a row is written.
import { setTimeout as delay } from 'node:timers/promises'
import { type Job, PgBoss } from 'pg-boss'
import type { Ledger } from '../core/ledger.js'
import type { Payload } from '../core/payload.js'
import { handlerName, insertAllWritten, insertWritten, type Part, type System } from './system.js'

const fetching = {
  batchSize: 500,
  burstWhenBatchFull: true,
  localConcurrency: 2,
  /** The least that it allows: the fallback behind NOTIFY. */
  pollingIntervalSeconds: 0.5,
  notifyPollingIntervalSeconds: 0.5,
}
const inTransaction = { ...fetching, transactional: true } as const

export const pgBoss: System = {
  async prepare({ databaseUrl }, { subscriptions }) {
    const boss = new PgBoss({ connectionString: databaseUrl, supervise: false, schedule: false })
    boss.on('error', () => {})
    await boss.start()
    for (let index = 0; index < subscriptions; index++)
      await boss.createQueue(handlerName(index), { notify: true })
    await boss.stop({ graceful: false })
  },

  async open({ databaseUrl }, part, ledger) {
    const boss = new PgBoss({ connectionString: databaseUrl, useListenNotify: true })
    const faults: unknown[] = []
    boss.on('error', (error) => faults.push(error))
    await boss.start()
    if (part.works)
      for (let index = 0; index < part.subscriptions; index++) await work(boss, part, ledger, index)
    return {
      async publish(payloads) {
        if (faults.length > 0) throw faults[0]
        const jobs = payloads.map((data) => ({ data }))
        await Promise.all(
          Array.from({ length: part.subscriptions }, (_, index) => boss.insert(handlerName(index), jobs)),
        )
      },
      stop: () => boss.stop({ graceful: true, timeout: 5_000 }),
    }
  },
}

async function work(boss: PgBoss, part: Part, ledger: Ledger, index: number): Promise<void> {
  const note = (jobs: readonly Job<Payload>[]) => {
    for (const { data } of jobs) ledger.handle(data, index)
  }
  if (part.transactional) {
    await boss.work<Payload, void, typeof inTransaction>(
      handlerName(index),
      inTransaction,
      async (jobs, tx) => {
        if (part.transactional === 'many')
          await tx.executeSql(insertAllWritten, [jobs.map(({ data }) => data.n)])
        else for (const { data } of jobs) await tx.executeSql(insertWritten, [data.n])
        note(jobs)
      },
    )
    return
  }
  await boss.work<Payload>(handlerName(index), fetching, async (jobs) => {
    if (part.handlerMs > 0) await Promise.all(jobs.map(() => delay(part.handlerMs)))
    note(jobs)
  })
}
