// The entry `eventspine/workflow`: what a user writes durable processes with.

export type {
  Decision,
  InstanceOptions,
  StartOptions,
  WorkflowDetails,
  WorkflowHandle,
  Workflows,
} from './runtime/workflows.js'
export type {
  Approval,
  ApprovalOptions,
  Branch,
  ChildOptions,
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
export { ChildError, NonDeterminismError, StepError, workflow, workflowOverdue } from './workflow/index.js'
export type {
  Entry,
  EntryKind,
  Instance,
  InstanceView,
  WorkflowQuery,
  WorkflowState,
} from './workflow/port.js'
