// graphile-worker with the settings of its own performance page (worker.graphile.org/docs/performance): 24 jobs at
// once on a pool of 25, a local queue of 500, batched completion without a delay, jobs added by add_jobs.

import { setTimeout as delay } from 'node:timers/promises'
import { Logger, makeWorkerUtils, type Runner, run, type TaskList } from 'graphile-worker'
import type { Ledger } from '../core/ledger.js'
import type { Payload } from '../core/payload.js'
import { handlerName, insertWritten, type Part, type System } from './system.js'

const concurrentJobs = 24
const batching = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
const silentLogger = new Logger(() => () => {})

export const graphileWorker: System = {
  async prepare({ databaseUrl }) {
    const utilities = await makeWorkerUtils(presetOf(databaseUrl))
    await utilities.migrate()
    await utilities.release()
  },

  async open({ databaseUrl }, part, ledger) {
    const utilities = await makeWorkerUtils(presetOf(databaseUrl))
    const runner = part.works
      ? await run({ ...presetOf(databaseUrl), taskList: tasksOf(part, ledger), noHandleSignals: true })
      : undefined
    const identifiers = Array.from({ length: part.subscriptions }, (_, index) => handlerName(index))
    return {
      async publish(payloads) {
        await utilities.addJobs(
          payloads.flatMap((payload) => identifiers.map((identifier) => ({ identifier, payload }))),
        )
      },
      async stop() {
        await stopRunner(runner)
        await utilities.release()
      },
    }
  },
}

function presetOf(connectionString: string) {
  const worker = { connectionString, concurrentJobs, maxPoolSize: concurrentJobs + 1, ...batching }
  return { preset: { worker: { ...worker, logger: silentLogger } } }
}

function tasksOf(part: Part, ledger: Ledger): TaskList {
  const task = (index: number): TaskList[string] => {
    if (part.transactional) {
      return async (payload, { withPgClient }) => {
        await withPgClient((client) => client.query(insertWritten, [(payload as Payload).n]))
        ledger.handle(payload as Payload, index)
      }
    }
    return async (payload) => {
      if (part.handlerMs > 0) await delay(part.handlerMs)
      ledger.handle(payload as Payload, index)
    }
  }
  return Object.fromEntries(
    Array.from({ length: part.subscriptions }, (_, index) => [handlerName(index), task(index)]),
  )
}

async function stopRunner(runner: Runner | undefined): Promise<void> {
  await runner?.stop()
}
