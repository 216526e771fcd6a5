export {
  type ApprovalStanding,
  type Asked,
  type Decided,
  type OpenQuestion,
  openQuestions,
  questionsOf,
  standingOf,
} from './approval-standing.js'
export { inputJson } from './consequences.js'
export type { AnyWorkflow, Workflow, WorkflowInput, WorkflowOutput } from './definition.js'
export { workflow } from './definition.js'
export { type EngineServices, WorkflowEngine } from './engine.js'
export { ChildError, StepError } from './errors.js'
export { type HistoryEntry, shownHistory } from './history.js'
export { NonDeterminismError } from './mismatch.js'
export { type OpenWait, openWaits } from './open-waits.js'
export { workflowOverdue } from './overdue.js'
export type {
  Entry,
  Instance,
  InstanceName,
  InstanceView,
  Loaded,
  Recording,
  WorkflowEnd,
  WorkflowPort,
  WorkflowQuery,
  WorkflowState,
} from './port.js'
export { workflowStates } from './port.js'
export { yieldingNames } from './program.js'
export { type Restart, restartOf } from './restart.js'
export { Sleepers } from './sleepers.js'
export { isStimulus, kindOf, stimuliOf, stimulus, typeOf, workflowOf } from './stimulus.js'
export { subscriptionsOf } from './subscriptions.js'
