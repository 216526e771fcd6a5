export { BreakerBoard } from './breaker-board.js'
export { Capacity, type CapacityLimits, capacityLimitsDefault } from './capacity.js'
export { Consumer } from './consumer.js'
export { Feed } from './feed.js'
export { LeaseKeeper } from './lease-keeper.js'
export { type ConsumerName, consumerId, type Lease, type WorkerRow } from './port.js'
export { RetryClaimer } from './retry-claimer.js'
export type { ConsumerServices, Work } from './services.js'
export type {
  Interest,
  ResolvedSubscription,
  Subscription,
  SubscriptionOptions,
  SubscriptionPolicies,
} from './subscription.js'
export { defineSubscription, ownDefaults, selectionOf, typesOf } from './subscription.js'
export { Tail } from './tail.js'
