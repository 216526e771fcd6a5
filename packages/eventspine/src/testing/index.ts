// What users import in their tests: their app, run for real over an in-memory store in virtual time.
export {
  approving,
  cancelling,
  type Happening,
  publishing,
  signalling,
  starting,
  waiting,
} from './happening.js'
export {
  type DeadLetterSeen,
  type Outcomes,
  Scenario,
  type ScenarioOptions,
  scenario,
} from './scenario.js'
export { type SideEffect, type SideEffects, sideEffects } from './side-effects.js'
