// What the API answers: mostly what the library answers itself, as JSON. Types alone come from there, so nothing of it is in
// the bundle; what the server adds is said here, and the OpenAPI document at /openapi.json says the whole of it.
import type { DeliveryView, Failure, Handling, DeadLetter as Letter, SubscriptionView } from 'eventspine'
import type { InstanceView, WorkflowDetails } from 'eventspine/workflow'

export type {
  AuditRow as AuditEntry,
  BreakerState as Breaker,
  CausalNode,
  DeadLetterGroup,
  DeliveryOfEvent as Delivery,
  DeliveryWait,
  EventDetails,
  EventView,
  Failure,
  Redrive,
  RedrivePreview,
  Replay,
  ReplayPreview,
  Trace,
  TraceAttempt as Attempt,
  TraceEvent,
  WorkerRow as Worker,
} from 'eventspine'
export type { EndpointStanding as Endpoint } from 'eventspine/webhooks'
export type { HistoryEntry, InstanceView as Instance, ScheduleView as Schedule } from 'eventspine/workflow'

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor: string | null
  /** With a pattern: so many were looked at. */
  readonly scanned?: number
}

export type Run = DeliveryView['runs'][number]

export interface Subscription extends SubscriptionView {
  /** Deliveries completed a second; null until the server has two readings. */
  readonly perSecond: number | null
  readonly handling: Omit<Handling, 'subscription'>
}

export interface DeadLetter extends Letter {
  /** Of its data as JSON Schema, where it is shown alone; null where nobody can tell. */
  readonly schema?: Readonly<Record<string, unknown>> | null
}

export interface InstanceDetails
  extends InstanceView,
    Pick<WorkflowDetails, 'history' | 'questions' | 'waits'> {
  readonly output?: unknown
  /** With its name and stack: the API says more of it than the library's type does. */
  readonly failure?: Failure
}

export interface SessionView {
  readonly actor: string
  readonly scopes: readonly string[]
  readonly tenant: string | null
  readonly csrf: string | null
  readonly expiresAtMs: number | null
}
