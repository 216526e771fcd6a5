// What people see: events, deliveries, causes, and what is wrong.
export {
  type DoctorInput,
  type DoctorReport,
  diagnose,
  type Finding,
  type FindingPlace,
  type SubscriptionDiagnosis,
} from './doctor.js'
export { type Overview, type OverviewInput, overviewOf } from './overview.js'
export type {
  AuditQuery,
  AuditRow,
  DatabaseHealth,
  DeliveryView,
  EventHead,
  EventQuery,
  Handling,
  InspectPort,
  OperatePort,
  Page,
  PageRequest,
  Remaining,
  RemainingTypes,
  SubscriptionView,
  Tally,
} from './port.js'
export {
  spansOf,
  type Trace,
  type TraceAttempt,
  type TraceDelivery,
  type TraceEvent,
  type TraceInstance,
  type TracePart,
  tracePart,
  withPublishers,
} from './trace.js'
export { type CausalNode, causalTree, type EventView, viewOf } from './view.js'
export { type DeliveryWait, mayWait, waitOf } from './wait.js'
