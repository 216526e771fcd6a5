// A reconciler: looks again and again for what a fault between two stores has left behind, a captured payment without
// an order, say, and mends it or tells a person.

import { createHash } from 'node:crypto'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ownDefaults, type ResolvedSubscription } from '../deliver/index.js'
import { compileFilter } from '../event/filter/index.js'
import { defineEvent, reservedPrefix } from '../event/index.js'
import { writeJson } from '../event/json/index.js'
import { type HandlerContext, PermanentError, type RetryPolicy, retries } from '../handle/index.js'
import { checkOptions } from '../kernel/index.js'
import type { Due } from './calendar.js'
import type { Timetable } from './definition.js'
import { tickType } from './tick.js'

/** What breaks the invariant. */
export interface Orphan {
  /** The same for the same one at each look: 1 to 200 characters, none of them a control character. A number is taken as its text. */
  readonly id: string
  /** Whatever is needed to mend it, or to understand it, as JSON, at most 60 KiB. What changes from look to look (an
   *  age, a number of attempts) makes it another one each time: leave it out. */
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
  /** Answers what breaks the invariant and was there before `before`. Of more than 1,000 it is told of 1,000 at a
   *  look. */
  readonly find: (ctx: LookContext) => readonly Found[] | Promise<readonly Found[]>
  /** Mends one, at least once and perhaps from two events: safe to run twice, by the orphan's id. It is given the
   *  orphan as JSON gives it back. Without it, and where its retries are used up, a dead letter waits for a
   *  person. */
  readonly repair?: (orphan: Found, ctx: HandlerContext) => unknown
  /** Default `retries.standard()`. */
  readonly retry?: RetryPolicy
  /** One that is still there after so long is told of again. Default 3,600,000. */
  readonly againMs?: number
  /** Of one look, and of one repair. Default 25,000: two attempts at a look end before the next. */
  readonly deadlineMs?: number
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
  readonly deadlineMs: number
  readonly find: (ctx: LookContext) => readonly Orphan[] | Promise<readonly Orphan[]>
  readonly repair: ((orphan: never, ctx: HandlerContext) => unknown) | undefined
  readonly retry: RetryPolicy | undefined
  readonly tenant: string | undefined
  readonly description: string | undefined
}

const optionNames: Readonly<Record<keyof ReconcilerOptions<Orphan>, true>> = {
  name: true,
  cron: true,
  timeZone: true,
  graceMs: true,
  find: true,
  repair: true,
  retry: true,
  againMs: true,
  deadlineMs: true,
  tenant: true,
  description: true,
}

export function reconciler<Found extends Orphan = Orphan>(options: ReconcilerOptions<Found>): Reconciler {
  checkOptions('reconciler', options, optionNames)
  return Object.freeze({
    kind: 'reconciler',
    name: options.name,
    cron: options.cron ?? '* * * * *',
    timeZone: options.timeZone ?? 'UTC',
    graceMs: options.graceMs ?? 120_000,
    againMs: options.againMs ?? 3_600_000,
    deadlineMs: options.deadlineMs ?? 25_000,
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

const leaseMarginMs = 30_000
const idMax = 200
const orphanBytesMax = 60 * 1024

const nameOf = (name: string) => `reconcile-${name}`

export const timetableOf = ({ name, cron, timeZone, tenant }: Reconciler): Timetable => ({
  ...{ name: nameOf(name), cron, timeZone, tenant, missed: 'once' },
})

export const reconcilerSubscriptions = (own: Reconciler): readonly ResolvedSubscription[] => [
  finderOf(own),
  menderOf(own),
]

// What is left out of a look comes with one of the next: each begins somewhere else.
const perLookMax = 1_000

function finderOf({ name, find, graceMs, againMs, deadlineMs }: Reconciler): ResolvedSubscription {
  const type = tickType(nameOf(name))
  return {
    ...ownDefaults,
    ...{ name: nameOf(name), on: [type], matches: (other) => other === type },
    // The next look is the better second attempt: more of them would only pile up.
    ...{ ordered: 'no', retry: retries.standard({ attemptsMax: 2 }), concurrencyMax: 1 },
    ...{ deadlineMs, leaseMs: deadlineMs + leaseMarginMs },
    handle: async ({ data, tenant }, { publish, signal, log }) => {
      const { atMs } = data as Due
      const found = await find({ before: new Date(atMs - graceMs), tenant, signal, log })
      const { told, unfit, more } = tellable(found, atMs)
      // One that cannot be told of must not hide the others.
      if (unfit > 0)
        log.error('orphans have no id, or cannot be stored, and were left out', { reconciler: name, unfit })
      if (more) log.warn('more orphans than are told of at a time', { reconciler: name, found: found.length })
      // Each look finds it until it is mended: within this time that is one event.
      const period = Math.floor(atMs / againMs)
      for (const { orphan, hash } of told)
        await publish(orphanFound, { reconciler: name, orphan }, { id: `${name} ${hash} ${period}` })
    },
  }
}

function tellable(found: readonly Orphan[], atMs: number) {
  const byHash = new Map<string, Orphan>()
  let unfit = 0
  for (const each of found) {
    const orphan = withText(each)
    const json = jsonOfOrphan(orphan)
    if (json === undefined) unfit++
    else byHash.set(createHash('sha256').update(json).digest('hex').slice(0, 32), orphan)
  }
  const all = [...byHash].map(([hash, orphan]) => ({ hash, orphan }))
  const from = all.length <= perLookMax ? 0 : Math.floor(atMs / 60_000) % all.length
  const told = [...all.slice(from), ...all.slice(0, from)].slice(0, perLookMax)
  return { told, unfit, more: told.length < all.length }
}

// What a query answers, and a compiler does not see.
const withText = (orphan: Orphan): Orphan => {
  const id: unknown = orphan?.id
  return typeof id === 'number' || typeof id === 'bigint' ? { ...orphan, id: String(id) } : orphan
}

function jsonOfOrphan(orphan: Orphan): string | undefined {
  const { id } = orphan ?? {}
  if (typeof id !== 'string' || id === '' || id.length > idMax || !id.isWellFormed() || /\p{Cc}/u.test(id))
    return undefined
  try {
    return writeJson(orphan, { sizeBytesMax: orphanBytesMax })
  } catch {
    return undefined
  }
}

function menderOf({ name, repair, retry, deadlineMs }: Reconciler): ResolvedSubscription {
  return {
    ...ownDefaults,
    ...{ name: `${nameOf(name)}-repair`, on: [orphanFound], matches: (type) => type === orphanFound.type },
    filter: compileFilter({ data: { reconciler: [name] } }),
    ...{ ordered: 'no', retry: retry ?? retries.standard(), concurrencyMax: 10, concurrencyPerKeyMax: 1 },
    ...{ deadlineMs, leaseMs: deadlineMs + leaseMarginMs },
    handle: async (event, context) => {
      const { orphan } = event.data as OrphanFound
      if (repair !== undefined) return await repair(orphan as never, context)
      throw new PermanentError(
        `"${orphan.id}" breaks the invariant "${name}", and nothing here repairs it: a person decides. Mend it, then discard this; what is still there is told of again.`,
      )
    },
  }
}
