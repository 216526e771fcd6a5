// Conditions of a WHERE, put together from what was asked.
import type { EventQuery } from '../../inspect/port.js'
import { EventspineError, hash32 } from '../../kernel/index.js'

/** @throws REQUEST_INVALID when it is no date. */
export function isoText(date: Date, field: string): string {
  if (date instanceof Date && Number.isFinite(date.getTime())) return date.toISOString()
  throw new EventspineError('REQUEST_INVALID', `${field} must be a valid date.`, { field: `/${field}` })
}

/** Conditions of a WHERE, their values, and a name for the shape that they make. */
export class Conditions {
  readonly values: unknown[]
  readonly #clauses: string[] = []
  readonly #names: string[] = []

  /** `values` are those that the statement already names as $1, $2 … */
  constructor(values: readonly unknown[] = []) {
    this.values = [...values]
  }

  /** Adds a value; answers its parameter. */
  value(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }

  /** Does nothing when `value` is undefined. `clause` is given the parameter. */
  add(name: string, value: unknown, clause: (parameter: string) => string): this {
    if (value === undefined) return this
    this.#clauses.push(clause(this.value(value)))
    this.#names.push(name)
    return this
  }

  get text(): string {
    return this.#clauses.length === 0 ? 'TRUE' : this.#clauses.join(' AND ')
  }

  /** Each shape is another statement, and prepared under its own name: hashed, as Postgres cuts names at 63 characters. */
  get shape(): string {
    return this.#names.length === 0 ? '' : `-${hash32(this.#names.join()).toString(36)}`
  }
}

/** `orders.*` as a LIKE pattern; undefined when there is no star in it. */
export function likePattern(pattern: string): string | undefined {
  if (!pattern.includes('*')) return undefined
  return escapedLike(pattern).replaceAll('*', '%')
}

const escapedLike = (text: string) => text.replace(/[\\%_]/g, (character) => `\\${character}`)

/** Exact, or `*` for any run of characters. */
export function addPattern(
  where: Conditions,
  name: string,
  column: string,
  pattern: string | undefined,
): void {
  const like = pattern === undefined ? undefined : likePattern(pattern)
  if (like === undefined) where.add(name, pattern, (parameter) => `${column} = ${parameter}`)
  else where.add(`${name}-like`, like, (parameter) => `${column} LIKE ${parameter}`)
}

/** In words that the indexes know: its first event is in none but that of the ids. */
export const ofCorrelation = (parameter: string) =>
  `((e.id = ${parameter} AND e.correlation_id = e.id) OR (e.correlation_id = ${parameter} AND e.correlation_id <> e.id))`

/** Adds what a query asks of an event `e`. Time is when it was recorded: the order of the log follows that. */
export function addEventFilters(where: Conditions, query: EventQuery): void {
  addPattern(where, 'type', 'e.type', query.type)
  where.add('key', query.key, (parameter) => `e.key = ${parameter}`)
  where.add('tenant', query.tenant, (parameter) => `e.tenant = ${parameter}`)
  where.add('correlation', query.correlationId, ofCorrelation)
  const after = query.after === undefined ? undefined : isoText(query.after, 'after')
  const before = query.before === undefined ? undefined : isoText(query.before, 'before')
  where.add(
    'after',
    after,
    (parameter) => `e.recorded_at >= ${parameter}::timestamptz AND ${seqAfter(parameter)}`,
  )
  where.add(
    'before',
    before,
    (parameter) => `e.recorded_at < ${parameter}::timestamptz AND ${seqBefore(parameter)}`,
  )
}

// A time bounds `seq` through the ticks around it: without that, a page of last month would read all of this month.
// Ten seconds of margin, since a number is drawn a little before its row gets its time.
const seqAfter = (moment: string) => `e.seq >= coalesce((SELECT t.seq_estimate FROM eventspine.tick t
  WHERE t.made_at < ${moment}::timestamptz - interval '10 seconds' ORDER BY t.made_at DESC LIMIT 1), 0)`

const seqBefore = (moment: string) => `e.seq <= coalesce((SELECT t.seq_estimate FROM eventspine.tick t
  WHERE t.made_at > ${moment}::timestamptz + interval '10 seconds' ORDER BY t.made_at LIMIT 1), ${Number.MAX_SAFE_INTEGER})`
