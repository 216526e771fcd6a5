// The one door through which the simulation enters the engine: what no user may touch, because the faults are planted
// at the ports and the oracle reads the tables themselves.
export type { SqlExecutor } from '../../packages/eventspine/src/append/port.js'
export type {
  BreakerPort,
  Claimant,
  ConsumerName,
  Failure,
  Holding,
  Lease,
  LeaseRequest,
  OpenDelivery,
  Tick,
  WorkerRow,
} from '../../packages/eventspine/src/deliver/port.js'
export { consumerId } from '../../packages/eventspine/src/deliver/port.js'
export type { ResolvedSubscription } from '../../packages/eventspine/src/deliver/subscription.js'
export {
  comparePositions,
  endOfTick,
  type NewEvent,
  orderingKeyOf,
  type Position,
  type StoredEvent,
} from '../../packages/eventspine/src/event/stored.js'
export {
  type Clock,
  EventspineError,
  hash32,
  type Random,
  seededRandom,
  systemClock,
} from '../../packages/eventspine/src/kernel/index.js'
export { VirtualClock } from '../../packages/eventspine/src/kernel/virtual-clock.js'
export { type Logger, silentLogger } from '../../packages/eventspine/src/observe/log.js'
export type { App } from '../../packages/eventspine/src/runtime/app.js'
export { Eventspine } from '../../packages/eventspine/src/runtime/eventspine.js'
export type {
  SettleAnswer,
  Settlement,
  SettleTransaction,
} from '../../packages/eventspine/src/settle/port.js'
export { accessPort } from '../../packages/eventspine/src/store/memory/access.js'
export { appendPort } from '../../packages/eventspine/src/store/memory/append.js'
export { breakerPort } from '../../packages/eventspine/src/store/memory/breaker.js'
export { createMemoryClaims } from '../../packages/eventspine/src/store/memory/claim.js'
export { contractPort } from '../../packages/eventspine/src/store/memory/contract.js'
export { importPort } from '../../packages/eventspine/src/store/memory/import.js'
export { inspectPort } from '../../packages/eventspine/src/store/memory/inspect.js'
export { leasePort } from '../../packages/eventspine/src/store/memory/lease.js'
export { lifecyclePort } from '../../packages/eventspine/src/store/memory/lifecycle.js'
export { logPort, wakePort } from '../../packages/eventspine/src/store/memory/log.js'
export { createMemoryStore } from '../../packages/eventspine/src/store/memory/memory-store.js'
export { operatePort } from '../../packages/eventspine/src/store/memory/operate.js'
export { personalPort } from '../../packages/eventspine/src/store/memory/personal.js'
export { redrivePort } from '../../packages/eventspine/src/store/memory/redrive.js'
export { replayPort } from '../../packages/eventspine/src/store/memory/replay.js'
export { retryPort } from '../../packages/eventspine/src/store/memory/retry.js'
export type { ConsumerRow, LetterRow } from '../../packages/eventspine/src/store/memory/rows.js'
export { schedulePort } from '../../packages/eventspine/src/store/memory/schedule.js'
export { settlePort } from '../../packages/eventspine/src/store/memory/settle.js'
export { snapshotOf } from '../../packages/eventspine/src/store/memory/snapshot.js'
export { sourceItemPort } from '../../packages/eventspine/src/store/memory/source-item.js'
export { sourceLeasePort } from '../../packages/eventspine/src/store/memory/source-lease.js'
export { tablePort } from '../../packages/eventspine/src/store/memory/table.js'
export { MemoryTables } from '../../packages/eventspine/src/store/memory/tables.js'
export type { MemoryTransaction } from '../../packages/eventspine/src/store/memory/transaction.js'
export { webhookPort } from '../../packages/eventspine/src/store/memory/webhook.js'
export { workflowPort } from '../../packages/eventspine/src/store/memory/workflow.js'
export { createPostgresStore } from '../../packages/eventspine/src/store/postgres/postgres-store.js'
export type { Store } from '../../packages/eventspine/src/store/store.js'
export {
  decisionType,
  type Entry,
  type Recording,
  type WorkflowState,
} from '../../packages/eventspine/src/workflow/port.js'
