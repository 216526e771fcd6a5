// The entry `eventspine/workflow`: what a user writes durable processes with.

export {
  type ApprovalLinkOptions,
  type ApprovalLinks,
  type ApprovalLinksOptions,
  type ApprovalTicket,
  approvalLinks,
} from './runtime/approval-links.js'
export type { Approvals, LinkDecision } from './runtime/approvals.js'
export type { ScheduleRun, Schedules, ScheduleView } from './runtime/schedules.js'
export type {
  ActOptions,
  Decision,
  InstanceOptions,
  RestartOptions,
  SignalOptions,
  StartOptions,
  WorkflowDetails,
  WorkflowHandle,
} from './runtime/workflow-options.js'
export type { Workflows } from './runtime/workflows.js'
export {
  type LookContext,
  type MissedPolicy,
  type Orphan,
  type OrphanFound,
  orphanFound,
  type Reconciler,
  type ReconcilerOptions,
  reconciler,
  type Schedule,
  type ScheduleOptions,
  schedule,
  type Tick,
} from './schedule/index.js'
export type {
  Approval,
  ApprovalOptions,
  Branch,
  ChildOptions,
  EventMatch,
  MapOptions,
  StepContext,
  StepOptions,
  WaitOptions,
  WorkflowContext,
} from './workflow/context.js'
export type {
  AnyWorkflow,
  Workflow,
  WorkflowInput,
  WorkflowOptions,
  WorkflowOutput,
} from './workflow/definition.js'
export {
  type ApprovalStanding,
  ChildError,
  type HistoryEntry,
  NonDeterminismError,
  type OpenQuestion,
  StepError,
  workflow,
  workflowOverdue,
} from './workflow/index.js'
export type {
  AwaitedApproval,
  EntryKind,
  Instance,
  InstanceView,
  WorkflowQuery,
  WorkflowState,
} from './workflow/port.js'
