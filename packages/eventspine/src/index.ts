// The public entry: what a user writes an app with.

export type { NewStoredKey, StoredKey, StoredSession } from './access/index.js'
export type { ClaimPort } from './append/index.js'
export type {
  Contract,
  ContractDifference,
  ContractFinding,
  Misfit,
  RegisteredContract,
} from './contract/index.js'
export type {
  Interest,
  ResolvedSubscription,
  Subscription,
  SubscriptionOptions,
  SubscriptionPolicies,
} from './deliver/index.js'
export { defineSubscription } from './deliver/index.js'
export type { BreakerState, Failure, WorkerRow } from './deliver/port.js'
export type { BreakerOptions } from './deliver/subscription.js'
export type {
  AnyEventDefinition,
  Event,
  EventDefinition,
  EventOf,
  EventOptions,
  InputOf,
  Published,
  PublishOptions,
} from './event/index.js'
export { defineEvent } from './event/index.js'
export type {
  BatchContext,
  BatchDelivery,
  Category,
  HandlerContext,
  HandlerPublishOptions,
  RetryOptions,
  RetryPolicy,
  Transaction,
  TransactionContext,
} from './handle/index.js'
export {
  PermanentError,
  ProcessingError,
  retries,
  TimeoutError,
  TransientError,
  ValidationError,
} from './handle/index.js'
export type { DoctorReport, Finding, FindingPlace, SubscriptionDiagnosis } from './inspect/doctor.js'
export type { Overview } from './inspect/overview.js'
export type {
  AuditQuery,
  AuditRow,
  DatabaseHealth,
  DeliveryView,
  EventQuery,
  Handling,
  Page,
  PageRequest,
  Remaining,
  SubscriptionView,
} from './inspect/port.js'
export type {
  Trace,
  TraceAttempt,
  TraceDelivery,
  TraceEvent,
  TraceInstance,
} from './inspect/trace.js'
export type { CausalNode, EventView } from './inspect/view.js'
export type { DeliveryWait } from './inspect/wait.js'
export { type ErrorCode, EventspineError, errorCodes } from './kernel/index.js'
export { jsonLogger, type Logger, type LogLevel } from './observe/log.js'
export type { MetricSample } from './observe/metrics.js'
export type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterGroup,
  DeadLetterState,
  Redrive,
  RedrivePreview,
  RedriveRequest,
  RedriveState,
  Replay,
  ReplayRequest,
} from './redrive/port.js'
export type { Access } from './runtime/access.js'
export { type App, type AppOptions, defineApp } from './runtime/app.js'
export type { ContractInUse, Contracts } from './runtime/contracts.js'
export type { DeliveryOfEvent, EventDetails } from './runtime/event-details.js'
export { Eventspine } from './runtime/eventspine.js'
export type { BreakerPlace, Operator } from './runtime/operator.js'
export type { CellOptions, EventspineOptions } from './runtime/options.js'
export type { ErasureOptions, Personal, PersonalEvent } from './runtime/personal.js'
export type { IncomingEvent, Publication } from './runtime/publication.js'
export type { ReplayPreview } from './runtime/replays.js'
export type { MapEdge, MapNode, MapNodeKind, SystemMap } from './runtime/system-map.js'
export type { MapSample } from './runtime/system-map-look.js'
export type { Retention } from './store/store.js'
