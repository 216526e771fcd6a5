// What users import in their tests: their app, run for real over an in-memory store in virtual time.
export {
  type DeadLetterSeen,
  type Happening,
  type Outcomes,
  publishing,
  Scenario,
  type ScenarioOptions,
  scenario,
} from './scenario.js'
export { type SideEffect, type SideEffects, sideEffects } from './side-effects.js'
