// A reconciler: looks again and again for what a fault between two stores has left behind, a captured payment without
// an order, say, and mends it or tells a person.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ownDefaults, type ResolvedSubscription } from '../deliver/index.js'
import { compileFilter } from '../event/filter/index.js'
import { defineEvent, reservedPrefix } from '../event/index.js'
import { type HandlerContext, PermanentError, type RetryPolicy, retries } from '../handle/index.js'
import type { Due } from './calendar.js'
import type { Timetable } from './definition.js'
import { tickType } from './tick.js'

/** What breaks the invariant. */
export interface Orphan {
  /** The same for the same one at each look: at most 200 characters. */
  readonly id: string
  /** Whatever is needed to mend it, or to understand it; JSON. */
  readonly [field: string]: unknown
}

export interface LookContext {
  /** Leave out what is younger: it may be under way still. */
  readonly before: Date
  readonly tenant: string
  readonly signal: AbortSignal
  readonly log: HandlerContext['log']
}

export interface ReconcilerOptions<Found extends Orphan> {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** Default `* * * * *`, each minute. */
  readonly cron?: string
  /** Default `UTC`. */
  readonly timeZone?: string
  /** How old something must be to be an orphan. Default 120,000. */
  readonly graceMs?: number
  /** Answers what breaks the invariant and was there before `before`. */
  readonly find: (ctx: LookContext) => readonly Found[] | Promise<readonly Found[]>
  /** Mends one, at least once; safe to run twice. Without it, and where its retries are used up, a dead letter waits for a
   *  person. */
  readonly repair?: (orphan: Found, ctx: HandlerContext) => unknown
  /** Default `retries.standard()`. */
  readonly retry?: RetryPolicy
  /** One that is still there after so long is told of again. Default 3,600,000. */
  readonly againMs?: number
  /** Default: that of the app. */
  readonly tenant?: string
  readonly description?: string
}

export interface Reconciler {
  readonly kind: 'reconciler'
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  readonly graceMs: number
  readonly againMs: number
  readonly find: (ctx: LookContext) => readonly Orphan[] | Promise<readonly Orphan[]>
  readonly repair: ((orphan: never, ctx: HandlerContext) => unknown) | undefined
  readonly retry: RetryPolicy | undefined
  readonly tenant: string | undefined
  readonly description: string | undefined
}

export function reconciler<Found extends Orphan = Orphan>(options: ReconcilerOptions<Found>): Reconciler {
  return Object.freeze({
    kind: 'reconciler',
    name: options.name,
    cron: options.cron ?? '* * * * *',
    timeZone: options.timeZone ?? 'UTC',
    graceMs: options.graceMs ?? 120_000,
    againMs: options.againMs ?? 3_600_000,
    find: options.find,
    repair: options.repair,
    retry: options.retry,
    tenant: options.tenant,
    description: options.description,
  })
}

export interface OrphanFound {
  readonly reconciler: string
  readonly orphan: Orphan
}

const schema: StandardSchemaV1<OrphanFound> = {
  '~standard': { version: 1, vendor: 'eventspine', validate: (value) => ({ value: value as OrphanFound }) },
}

/** `defineSubscription({ name: 'tell-finance', on: orphanFound, handle })`. */
export const orphanFound = defineEvent({
  type: `${reservedPrefix}orphan-found`,
  schema,
  key: ({ orphan }) => orphan.id,
  description: 'A reconciler found something that breaks its invariant.',
})

const nameOf = (name: string) => `reconcile-${name}`

export const timetableOf = ({ name, cron, timeZone, tenant }: Reconciler): Timetable => ({
  ...{ name: nameOf(name), cron, timeZone, tenant, missed: 'once' },
})

export const reconcilerSubscriptions = (own: Reconciler): readonly ResolvedSubscription[] => [
  finderOf(own),
  menderOf(own),
]

function finderOf({ name, find, graceMs, againMs }: Reconciler): ResolvedSubscription {
  const type = tickType(nameOf(name))
  return {
    ...ownDefaults,
    ...{ name: nameOf(name), on: [type], matches: (other) => other === type },
    ...{ ordered: 'no', retry: retries.standard(), concurrencyMax: 1, deadlineMs: 60_000, leaseMs: 90_000 },
    handle: async ({ data, tenant }, { publish, signal, log }) => {
      const { atMs } = data as Due
      const found = await find({ before: new Date(atMs - graceMs), tenant, signal, log })
      // Each look finds it until it is mended: within this time that is one event.
      const period = Math.floor(atMs / againMs)
      for (const orphan of found)
        await publish(orphanFound, { reconciler: name, orphan }, { id: `${name} ${orphan.id} ${period}` })
    },
  }
}

function menderOf({ name, repair, retry }: Reconciler): ResolvedSubscription {
  return {
    ...ownDefaults,
    ...{ name: `${nameOf(name)}-repair`, on: [orphanFound], matches: (type) => type === orphanFound.type },
    filter: compileFilter({ data: { reconciler: [name] } }),
    ...{ ordered: 'no', retry: retry ?? retries.standard(), concurrencyMax: 10 },
    ...{ deadlineMs: 30_000, leaseMs: 60_000 },
    handle: async (event, context) => {
      const { orphan } = event.data as OrphanFound
      if (repair !== undefined) return await repair(orphan as never, context)
      throw new PermanentError(
        `"${orphan.id}" breaks the invariant "${name}", and nothing here repairs it: a person decides. Mend it, then discard this; what is still there is told of again.`,
      )
    },
  }
}
