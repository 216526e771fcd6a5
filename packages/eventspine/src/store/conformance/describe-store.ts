// One behaviour for every store: what the engine relies on, told port by port. A store is conformant when this
// suite passes on it; the simulation proves something about Postgres only as far as it passes on both.
import { afterEach, describe } from 'vitest'
import { describeAccess } from './access.js'
import { describeAppend } from './append.js'
import { describeAudit } from './audit.js'
import { describeBreaker } from './breaker.js'
import { describeContract } from './contract.js'
import { describeHandling } from './handling.js'
import { describeImport } from './import.js'
import { describeInspect } from './inspect.js'
import { describeOrder } from './keys.js'
import { describeLag } from './lag.js'
import { describeLease } from './lease.js'
import { describeLifecycle } from './lifecycle.js'
import { describeLog } from './log.js'
import { describeOperate } from './operate.js'
import { describeOverview } from './overview.js'
import { describePersonal } from './personal.js'
import { describeRecover } from './recover.js'
import { describeRedrive } from './redrive.js'
import { describeReplay } from './replay.js'
import { describeRetry } from './retry.js'
import { type ConformanceStore, type OpenScene, Scene } from './scene.js'
import { describeSchedule } from './schedule.js'
import { describeSettle } from './settle.js'
import { describeSettleTransaction } from './settle-transaction.js'
import { describeSourceItem } from './source-item.js'
import { describeSourceLease } from './source-lease.js'
import { describeTable } from './table.js'
import { describeWebhook } from './webhook.js'
import { describeWorkflow } from './workflow.js'
import { describeWorkflowRetry } from './workflow-retry.js'

/** Registers the suite. `createStore` is called once for every test and answers an empty store; `close` ends the test. */
export function describeStore(name: string, createStore: () => Promise<ConformanceStore>): void {
  describe(`${name} store`, () => {
    const made: ConformanceStore[] = []
    const open: OpenScene = async () => {
      const store = await createStore()
      made.push(store)
      return new Scene(store)
    }
    afterEach(async () => {
      await Promise.all(made.splice(0).map((store) => store.close()))
    })
    describeAppend(open)
    describeLog(open)
    describeLease(open)
    describeRetry(open)
    describeOrder(open)
    describeRecover(open)
    describeBreaker(open)
    describeSettle(open)
    describeSettleTransaction(open)
    describeRedrive(open)
    describeReplay(open)
    describeInspect(open)
    describeOperate(open)
    describeOverview(open)
    describeLag(open)
    describeHandling(open)
    describeLifecycle(open)
    describeWorkflow(open)
    describeWorkflowRetry(open)
    describeSchedule(open)
    describeContract(open)
    describeImport(open)
    describeSourceLease(open)
    describeSourceItem(open)
    describePersonal(open)
    describeTable(open)
    describeWebhook(open)
    describeAccess(open)
    describeAudit(open)
  })
}
