// The named interest of one function in events, and how it wants them.

import { createHash } from 'node:crypto'
import type { AnyEventDefinition, EventOf } from '../event/definition.js'
import type { Event } from '../event/event.js'
import type { Filter } from '../event/filter/index.js'
import type { BatchContext, BatchDelivery, HandlerContext, TransactionContext } from '../handle/context.js'
import type { RetryPolicy } from '../handle/retry-policy.js'

/** A definition, or a pattern over types in which `*` stands for any run of characters: `orders.*`. */
export type Interest = AnyEventDefinition | string

export interface BreakerOptions {
  /** The downstream that it guards. Subscriptions that name the same one share it. */
  readonly name: string
  /** Failures within `windowMs` that open it. Only transient and timeout errors count. */
  readonly failures: number
  /** Default 60,000. */
  readonly windowMs?: number
  /** How long it stays open before probes are let through. */
  readonly cooldownMs: number
  /** Probes that must succeed before it closes. Default 2. */
  readonly probes?: number
  /** After closing, concurrency grows from a tenth to all of it over this time. Default 10,000. */
  readonly rampMs?: number
  /** `tenant`: one breaker per tenant, the others go on. `key`: one per key of a tenant; events without a key share the
   *  tenant's. Default `service`. */
  readonly scope?: 'service' | 'tenant' | 'key'
}

export interface SubscriptionPolicies {
  /** EventBridge pattern over the event's attributes and `data`. Judged before the handler runs. */
  readonly filter?: Readonly<Record<string, unknown>>
  /** Default `retries.standard()`, for alarms `retries.alarm()`. */
  readonly retry?: RetryPolicy
  /** When the handler is aborted and the attempt counts as a timeout. Default 30,000. */
  readonly deadlineMs?: number
  /** One delivery per key of a tenant at a time, in log order. After a dead letter its key halts (default) or is skipped. */
  readonly ordered?: boolean | { readonly afterDead: 'halt' | 'skip' }
  /** Handlers that run at once over all workers, and of them for one key of a tenant. Default 10, and as many. */
  readonly concurrency?: number | { readonly max: number; readonly perKey?: number }
  /** At most `max` starts in every `perMs`. */
  readonly rate?: { readonly max: number; readonly perMs: number }
  /** Bounds of the adaptive batch that is read at once. Default 1,000 events and 1 MiB. `windowMs`, of `transactMany`: the next call
   *  begins so long after the last one began, or sooner when it is full. Default: as soon as the last has ended. */
  readonly batch?: { readonly eventsMax?: number; readonly bytesMax?: number; readonly windowMs?: number }
  /** Alarms have capacity of their own and short leases, and their events a line of their own into the log. While transactional alarms of
   *  this process wait for more than 10 ms before they begin, its transactional subscriptions of priority `normal` rest between two
   *  transactions, for half a second at most. Default `normal`. */
  readonly priority?: 'alarm' | 'normal'
  readonly breaker?: BreakerOptions
  /** Where a new subscription begins. Default `now`. Later changes have no effect: use replay. */
  readonly start?: 'beginning' | 'now' | Date
  /** Parts that workers share out among themselves. Fixed when the subscription is first seen. Default 1. */
  readonly shards?: number
  /** The handler calls the world: replay refuses it unless it is named there. Default true for `handle`. */
  readonly external?: boolean
  /** Address of the queue that the handler fills, where it does; without credentials. As `queue` of `customSource`. */
  readonly queue?: string
  readonly description?: string
}

export interface Subscription {
  readonly kind: 'subscription'
  readonly name: string
  readonly on: readonly Interest[]
  readonly handle: ((event: Event, context: HandlerContext) => unknown) | undefined
  readonly transact: ((event: Event, context: TransactionContext) => unknown) | undefined
  readonly transactMany: TransactMany | undefined
  readonly policies: SubscriptionPolicies
}

/** A handler of many at once. */
export type TransactMany = (deliveries: readonly BatchDelivery[], context: BatchContext) => unknown

interface Plain<On> {
  /** May call the world; runs at least once, with one delivery id that never changes. */
  readonly handle: (event: EventOf<On>, context: HandlerContext) => unknown
  readonly transact?: never
  readonly transactMany?: never
}

interface Transactional<On> {
  /** Its database changes through `context.tx` are applied exactly once. Database work only. */
  readonly transact: (event: EventOf<On>, context: TransactionContext) => unknown
  readonly handle?: never
  readonly transactMany?: never
}

interface TransactionalMany<On> {
  /** As `transact`, for all deliveries that wait: 1 to 1,000, in the order of the log; at most `batch.eventsMax`. They commit together.
   *  Where it fails, each is called alone, so that only what fails alone is retried or dead. Two of an ordered key may be in one
   *  call. `deadlineMs` is that of the call; `concurrency` has no meaning. */
  readonly transactMany: (deliveries: readonly BatchDelivery<EventOf<On>>[], context: BatchContext) => unknown
  readonly handle?: never
  readonly transact?: never
}

export type SubscriptionOptions<On> = SubscriptionPolicies & {
  /** Lower case, digits and dashes, at most 100 characters. Its cursor is kept under this name. */
  readonly name: string
  readonly on: On
} & (Plain<On> | Transactional<On> | TransactionalMany<On>)

export function defineSubscription<const On extends Interest | readonly Interest[]>(
  options: SubscriptionOptions<On>,
): Subscription {
  const { name, on, handle, transact, transactMany, ...policies } = options
  return {
    kind: 'subscription',
    name,
    on: (Array.isArray(on) ? on : [on]) as readonly Interest[],
    handle: handle as Subscription['handle'],
    transact: transact as Subscription['transact'],
    transactMany: transactMany as Subscription['transactMany'],
    policies: policies as SubscriptionPolicies,
  }
}

/** A subscription with every default filled in: what the engine runs. */
export interface ResolvedSubscription {
  readonly name: string
  readonly on: readonly Interest[]
  readonly matches: (type: string) => boolean
  /** By type, where it reads another version than the newest. */
  readonly reads: ReadonlyMap<string, AnyEventDefinition> | undefined
  readonly filter: Filter | undefined
  readonly handle: Subscription['handle']
  readonly transact: Subscription['transact']
  readonly transactMany: Subscription['transactMany']
  /** It has one of these two: its outcomes commit with what it does. */
  readonly transactional: boolean
  /** Its handler is the engine's own: it moves instances of this workflow on. */
  readonly workflow: string | undefined
  /** The same for a source: it tries its kept messages again. */
  readonly source?: string
  /** The same for webhooks: it sends their messages. */
  readonly webhooks?: string
  /** Of that workflow: those that this process can run. */
  readonly versions?: readonly number[]
  readonly retry: RetryPolicy
  readonly deadlineMs: number
  readonly leaseMs: number
  readonly ordered: 'no' | 'halt' | 'skip'
  readonly concurrencyMax: number
  readonly concurrencyPerKeyMax: number
  /** What waits for a place of its key becomes a row: else one key that is slow would fill what is read ahead, and hold the
   *  cursor. Where keys are in no order. Default false: a row costs more than waiting. */
  readonly keysApart?: boolean
  readonly rate: { readonly max: number; readonly perMs: number } | undefined
  readonly batchEventsMax: number
  readonly batchBytesMax: number
  readonly batchWindowMs: number
  readonly priority: 'alarm' | 'normal'
  readonly breaker: Required<BreakerOptions> | undefined
  readonly start: 'beginning' | 'now' | Date
  readonly shards: number
  readonly external: boolean
}

/** What the subscriptions of the engine itself have in common. */
export const ownDefaults: Omit<
  ResolvedSubscription,
  'name' | 'on' | 'matches' | 'retry' | 'deadlineMs' | 'leaseMs' | 'ordered' | 'concurrencyMax'
> = {
  ...{ reads: undefined, filter: undefined, handle: undefined, workflow: undefined },
  ...{ transact: undefined, transactMany: undefined, transactional: false },
  ...{ concurrencyPerKeyMax: Number.POSITIVE_INFINITY, rate: undefined, breaker: undefined },
  ...{ batchEventsMax: 1_000, batchBytesMax: 1024 * 1024, batchWindowMs: 0, priority: 'normal' },
  ...{ start: 'now', shards: 1, external: true },
}

/** Types as they are registered: patterns as they are. */
export const typesOf = ({ on }: Pick<ResolvedSubscription, 'on'>): readonly string[] =>
  on.map((interest) => (typeof interest === 'string' ? interest : interest.type))

/** Which events it gets and can read, and which versions of its workflow it can run, in short: the same text for the same
 *  definition, wherever it runs. Of a pattern nothing says which versions it can read. */
export function selectionOf({
  name,
  on,
  filter,
  versions = [],
}: Pick<ResolvedSubscription, 'name' | 'on' | 'filter' | 'versions'>): string {
  const wanted = on.map((interest) =>
    typeof interest === 'string' ? interest : [interest.type, interest.version],
  )
  const choice = JSON.stringify([name, wanted, filter?.pattern ?? null, versions])
  return createHash('sha256').update(choice).digest('base64url').slice(0, selectionCharacters)
}

const selectionCharacters = 22
