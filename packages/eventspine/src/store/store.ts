// A store is the sum of what the stages need. It sees their types and none of their code.
import type { AccessPort } from '../access/port.js'
import type { AppendPort } from '../append/port.js'
import type { ContractPort } from '../contract/port.js'
import type { BreakerPort, LeasePort, LogPort, RetryPort, WakePort } from '../deliver/port.js'
import type { InspectPort, OperatePort } from '../inspect/port.js'
import type { PersonalPort } from '../personal/port.js'
import type { RedrivePort, ReplayPort } from '../redrive/port.js'
import type { SchedulePort } from '../schedule/port.js'
import type { SettlePort } from '../settle/port.js'
import type {
  ImportPort,
  ReplicationPort,
  SourceItemPort,
  SourceLeasePort,
  TablePort,
} from '../source/port.js'
import type { WebhookPort } from '../webhook/port.js'
import type { WorkflowPort } from '../workflow/port.js'

/** What the store keeps of a subscription so that any process can show it. */
export interface SubscriptionRecord {
  readonly name: string
  /** Name of the app that defines it. */
  readonly app: string
  readonly on: readonly string[]
  readonly priority: 'alarm' | 'normal'
  readonly shards: number
  readonly start: 'beginning' | 'now' | Date
  /** Which events it gets (`selectionOf`). */
  readonly selection: string
  /** Of the app: who comes with a lower one takes nothing over while somebody runs what is registered. */
  readonly build: number
  /** JSON of its policies, for people. */
  readonly policies: Readonly<Record<string, unknown>>
}

export interface Retention {
  /** Events are kept at least so long after every delivery of them ended. Default 30 days. */
  readonly eventsMs: number
  /** Run history. Default 7 days. */
  readonly runsMs: number
  /** Dead letters that were redriven or discarded. Default 30 days. */
  readonly resolvedDeadLettersMs: number
  /** Workflows that have ended, with their histories. Default 30 days. */
  readonly endedWorkflowsMs: number
}

export interface LifecyclePort {
  /** Connects, checks version, schema and epoch. Throws SCHEMA_OUTDATED with the command to run. */
  open(): Promise<void>
  close(): Promise<void>
  /** Creates or upgrades the tables. Answers the names of the migrations that ran. */
  migrate(): Promise<readonly string[]>
  /** Runs `work` while no other process runs one of the same name here; waits until the others are through. */
  alone(name: string, work: () => Promise<void>): Promise<void>
  /** Writes definitions; a new subscription gets its consumers at its start position. One that chooses other events than
   *  before takes effect at once: holders of before record nothing of later ticks (of replays they do), and get no lease any
   *  more. */
  register(subscriptions: readonly SubscriptionRecord[]): Promise<void>
  /** Partitions ahead. One worker at a time does it; the others return at once. */
  makeRoom(retention: Retention): Promise<void>
  /** That, retention, and expired idempotency keys. One worker at a time, as well. */
  maintain(retention: Retention): Promise<void>
  /** Nothing that is still held refers to a body in the object store written before this moment (ms since 1970). */
  claimsNeededSince(): Promise<number>
  /** Answers when the store can be reached. */
  ping(): Promise<void>
}

export interface Store
  extends AppendPort,
    LogPort,
    WakePort,
    LeasePort,
    RetryPort,
    BreakerPort,
    SettlePort,
    RedrivePort,
    ReplayPort,
    InspectPort,
    OperatePort,
    WorkflowPort,
    SchedulePort,
    ContractPort,
    ImportPort,
    SourceLeasePort,
    SourceItemPort,
    PersonalPort,
    TablePort,
    ReplicationPort,
    WebhookPort,
    AccessPort,
    LifecyclePort {}
