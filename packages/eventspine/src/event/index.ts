export {
  type AnyEventDefinition,
  defineEvent,
  type EventDefinition,
  type EventOf,
  type EventOptions,
  type InputOf,
  isType,
  isVersion,
  typeRule,
  versionRule,
} from './definition.js'
export type { Event } from './event.js'
export { type Cause, ownDefinition, ownEvent, reservedPrefix } from './own-event.js'
export { typeMatcher } from './pattern.js'
export {
  fingerprintOf,
  type Preparation,
  type PublishOptions,
  prepare,
  type SealedEvent,
  type Sealing,
} from './prepare.js'
export type { Published } from './published.js'
export { EventRegistry, type Issue, issuesOf } from './registry.js'
export {
  comparePositions,
  deliveryId,
  endOfTick,
  type NewEvent,
  type OrderingKey,
  orderingKeyOf,
  type Position,
  type StoredEvent,
} from './stored.js'
