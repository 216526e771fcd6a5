// The contracts of events: what of each version may be written, who can read it, and what a change would break.
export { catalogue } from './catalogue.js'
export { type ContractFinding, checkContracts, type Reader } from './check.js'
export { type ContractDifference, differencesOf, type Ways } from './difference.js'
export { asyncApi, jsonSchemas } from './export.js'
export { type Misfit, misfits } from './fit.js'
export {
  type Contract,
  contractOf,
  type JsonSchema,
  type JsonSchemaObject,
  jsonSchemaOf,
} from './json-schema.js'
export type { ContractPort, RegisteredContract } from './port.js'
export { registrationOf } from './registration.js'
