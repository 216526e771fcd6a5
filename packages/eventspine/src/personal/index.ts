// Personal data in an append-only log: sealed by a key of each person, and gone for good with it.

export {
  changed,
  changedTexts,
  type FieldPath,
  fits,
  leavesOf,
  misfit,
  overlap,
  pathFault,
  pathsMax,
} from './fields.js'
export { keyCacheMs, PersonalKeys } from './keys.js'
export { openedData, sealedPlaces } from './opening.js'
export {
  type MasterStanding,
  masterKeysMax,
  type NewPersonalKey,
  type PersonalKey,
  type PersonalPort,
} from './port.js'
export {
  keyBytes,
  keyIdOf,
  looksSealed,
  type MasterKey,
  masterKeyOf,
  open,
  type SealingKey,
  seal,
  sealingKeyOf,
  unwrap,
  wrap,
} from './seal.js'
