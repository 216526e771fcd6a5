// Connections to one cell's database: a few lanes, so that a burst of one kind of work cannot starve another.
// The only folder that knows the Postgres driver.
import pg from 'pg'
import { type Clock, EventspineError } from '../../kernel/index.js'
import { CopyQuery } from './copy.js'
import { type Fields, FieldsQuery } from './fields.js'

export interface DatabaseOptions {
  readonly url: string
  /** Schema that holds the tables. Default `eventspine`. */
  readonly schema?: string
  /** Connections for transactional handlers, besides fourteen with fixed work. Default 6. */
  readonly connectionsMax?: number
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string
}

/** Lanes of one connection are for what must not wait: a starved heartbeat loses leases. What people ask (`read`) has
 *  connections of its own, so that a slow question delays no delivery. */
export type Lane =
  | 'append'
  | 'settle'
  | 'alarm'
  | 'heartbeat'
  | 'tick'
  | 'deliver'
  | 'workflow'
  | 'read'
  | 'transaction'

export interface Connection {
  query<Row = Record<string, unknown>>(
    name: string,
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>
}

/** Whose few statements are planned once for all parameters. */
const plannedForAll: ReadonlySet<Lane> = new Set(['settle', 'alarm', 'workflow', 'tick'])
/** Whose statements all probe an index. */
const probing: ReadonlySet<Lane> = new Set([...plannedForAll, 'deliver', 'append'])
/** Whose plans do not get older than this: what they were made for, empty tables say, is long past. Not `append`, which
 *  knows its rows by unique indexes: the round trip would be a quiet publisher's. Nor `tick`: ORDER BY and LIMIT pin its index, and
 *  to plan it over a dozen partitions takes 10 to 20 ms, in which nothing is delivered. */
const renewed: ReadonlySet<Lane> = new Set(['settle', 'alarm', 'workflow', 'deliver', 'transaction'])
const plansMsMax = 2_000

/** Connections for transactional handlers. */
export const transactionsDefault = 6
const idleTimeoutMs = 30_000
/** What the other side may take to end a connection that we ended. */
export const endMsMax = 1_000
/** What a statement that is on its way may take after everything was closed. */
const closeMsMax = 3_000
const connectTimeoutMs = 5_000
/** Silence after which the system asks the other side whether it is still there. */
const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 } as const

// What a statement may take before its connection is given up. A server that forgot a connection without a word (a
// failover, a lost route, a pooler that was restarted) never answers: publishers would wait for ever, and a worker
// would hold leases for which it does nothing.
const answerMsMax: Readonly<Record<Lane, number>> = {
  append: 15_000,
  settle: 30_000,
  alarm: 10_000,
  heartbeat: 10_000,
  tick: 60_000,
  deliver: 60_000,
  workflow: 30_000,
  read: 120_000,
  transaction: 60_000,
}

// int8 and xid8 as numbers: both stay below 2^53 for centuries, `safeInteger` in kernel says how long.
const numberTypes = new Set([20, 5069])
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    numberTypes.has(oid)
      ? Number
      : keepText.has(oid)
        ? String
        : pg.types.getTypeParser(oid, format as 'text'),
}
// json stays text: bodies are handed on or parsed once, by their reader. pg_snapshot has no parser anyway.
const keepText = new Set([114])

export class Database {
  readonly #options: DatabaseOptions
  readonly #pools = new Map<Lane, pg.Pool>()
  readonly #texts = new Map<string, string>()
  readonly #open = new Set<pg.ClientBase>()
  readonly #plannedAt = new WeakMap<pg.ClientBase, number>()
  #closing: Promise<void> | undefined
  readonly schema: string

  constructor(
    options: DatabaseOptions,
    readonly clock: Clock,
  ) {
    this.#options = options
    this.schema = options.schema ?? 'eventspine'
    if (!/^[a-z_][a-z0-9_]{0,40}$/.test(this.schema)) {
      throw new EventspineError(
        'REQUEST_INVALID',
        `Schema "${this.schema}" must be lower-case letters, digits and underscores, at most 41.`,
      )
    }
  }

  get url(): string {
    return this.#options.url
  }

  /** `?pgbouncer=true` in the address: a pooler gives each transaction another session, so that neither prepared
   *  statements nor LISTEN last. Statements are then planned each time, and what NOTIFY tells is found by polling. */
  get pooled(): boolean {
    return /[?&]pgbouncer=true(&|$)/.test(this.#options.url)
  }

  /** Replaces `eventspine.` by this cell's schema. Statements are written against the default name. */
  sql(text: string): string {
    if (this.schema === 'eventspine') return text
    let replaced = this.#texts.get(text)
    if (replaced === undefined) {
      replaced = text.replaceAll('eventspine.', `${this.schema}.`)
      this.#texts.set(text, replaced)
    }
    return replaced
  }

  /** One statement. `name` leads it as a comment, so that `pg_stat_statements` can be read, and prepares it. */
  async query<Row = Record<string, unknown>>(
    lane: Lane,
    name: string,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    return this.#once(lane, async (client) => {
      const { rows } = await client.query(this.statement(name, text, values))
      return rows as Row[]
    })
  }

  /** As `query`, but each row as the texts that the server sent, in the order of the columns. For the many rows of the
   *  log: an object of eighteen columns, made to be copied into an event, cost as much as reading them. */
  async fields(
    lane: Lane,
    name: string,
    text: string,
    values: readonly unknown[],
    each: (fields: Fields) => void,
  ): Promise<void> {
    const statement = () => FieldsQuery.statement(this.statement(name, text, values), each)
    await this.#once(lane, (client) => client.query(statement()).ended)
  }

  /** `COPY … FROM STDIN WITH (FORMAT binary)` of `rows`: all of them or none. */
  async copy(lane: Lane, name: string, text: string, rows: Buffer): Promise<void> {
    await this.#once(lane, (client) => client.query(CopyQuery.statement(name, this.sql(text), rows)).ended)
  }

  async #once<Result>(lane: Lane, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.connect(lane)
    try {
      const result = await this.within(client, answerMsMax[lane], () => work(client))
      client.release()
      return result
    } catch (error) {
      client.release(isUnavailable(error))
      // A reader may simply ask again; whoever wrote does not know whether it was heard.
      throw lane === 'append' ? unknownOutcome(error) : translate(error)
    }
  }

  /** `work` inside one transaction on one connection. What `opening` sets for it, behind its BEGIN, takes no other way
   *  to the server. */
  async transaction<Result>(
    lane: Lane,
    work: (connection: Connection) => Promise<Result>,
    opening = '',
  ): Promise<Result> {
    const client = await this.connect(lane)
    let committing = false
    let broken = false
    const bounded = <Answer>(answer: () => Promise<Answer>) => this.within(client, answerMsMax[lane], answer)
    try {
      await bounded(() => client.query(`BEGIN${opening}`))
      const result = await work({
        query: async (name, text, values = []) =>
          (await bounded(() => client.query(this.statement(name, text, values)))).rows,
      })
      committing = true
      await bounded(() => client.query('COMMIT'))
      return result
    } catch (error) {
      broken = isUnavailable(error)
      if (!broken) {
        await bounded(() => client.query('ROLLBACK')).catch(() => {
          broken = true
        })
      }
      throw committing ? unknownOutcome(error) : translate(error)
    } finally {
      client.release(broken)
    }
  }

  async connect(lane: Lane): Promise<pg.PoolClient> {
    try {
      const client = await this.#pool(lane).connect()
      await this.#planAnew(lane, client)
      return client
    } catch (error) {
      throw translate(error)
    }
  }

  /** `work` on `client`. Longer than `ms`, and the connection is destroyed: `work` then fails as when it breaks. */
  async within<Result>(client: pg.ClientBase, ms: number, work: () => Promise<Result>): Promise<Result> {
    const cancel = this.clock.after(ms, () => destroy(client))
    try {
      return await work()
    } finally {
      cancel()
    }
  }

  /** A connection outside the pools, for LISTEN. */
  dedicated(): pg.Client {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: this.#name('listen'),
      ...keepAlive,
      connectionTimeoutMillis: connectTimeoutMs,
    })
    this.#track(client)
    return client
  }

  #track(client: pg.ClientBase): void {
    this.#open.add(client)
    client.once('end', () => this.#open.delete(client))
  }

  // Prepared under a name: planning the settle statement each time costs more than running it. The name carries
  // the schema, since one pooled server connection may serve several.
  statement(name: string, text: string, values: readonly unknown[]): pg.QueryConfig {
    return {
      ...(this.pooled ? {} : { name: `${this.schema}.${name}` }),
      text: `/* ${name} */ ${this.sql(text)}`,
      values: values as unknown[],
    }
  }

  #pool(lane: Lane): pg.Pool {
    if (this.#closing !== undefined)
      throw new EventspineError(
        'STOPPED',
        'This Eventspine was stopped. Nothing is written or read any more.',
      )
    let pool = this.#pools.get(lane)
    if (pool === undefined) {
      pool = new pg.Pool({
        connectionString: this.#options.url,
        application_name: this.#name(lane),
        ...keepAlive,
        max: this.#connectionsMax(lane),
        idleTimeoutMillis: idleTimeoutMs,
        connectionTimeoutMillis: connectTimeoutMs,
        // What handlers of one transaction ask side by side goes out at once, and is answered in order.
        pipeline: lane === 'transaction',
        allowExitOnIdle: true,
        types,
        onConnect: (client) => this.#prepare(lane, client),
      })
      // An idle connection that breaks is replaced by the pool at the next use.
      pool.on('error', () => {})
      // A connection that breaks while it is checked out and no statement runs would end the process.
      pool.on('connect', (client) => {
        client.on('error', () => {})
        this.#track(client)
      })
      this.#pools.set(lane, pool)
    }
    return pool
  }

  // Postgres compares what a plan for these parameters would cost with a plan for any, and takes the first where the
  // arrays are short: the settle statement was planned anew each time, 0.58 ms beside 0.22 ms for running it. The
  // second is as good here, an index of each row. Not for transactions: handlers' own statements run there.
  //
  // A plan that is made while a table is empty reads it whole, and is kept when it no longer is, until autovacuum has
  // passed: minutes. So plans that read whole tables are ruled out, and none gets old.
  async #prepare(lane: Lane, client: pg.ClientBase): Promise<void> {
    this.#plannedAt.set(client, this.clock.monotonic())
    if (!probing.has(lane) || this.pooled) return
    const once = plannedForAll.has(lane) ? '; SET plan_cache_mode = force_generic_plan' : ''
    // Compiling one costs more than running it ever does.
    const plan = `/* ${lane}.plan */ SET enable_seqscan = off; SET jit = off${once}`
    await this.within(client, answerMsMax[lane], () => client.query(plan))
  }

  async #planAnew(lane: Lane, client: pg.PoolClient): Promise<void> {
    const now = this.clock.monotonic()
    if (!renewed.has(lane) || this.pooled || now - (this.#plannedAt.get(client) ?? now) < plansMsMax) return
    this.#plannedAt.set(client, now)
    try {
      await this.within(client, answerMsMax[lane], () => client.query('/* plans.discard */ DISCARD PLANS'))
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  #connectionsMax(lane: Lane): number {
    // Two at least: one of them is kept for alarms.
    if (lane === 'transaction') return Math.max(2, this.#options.connectionsMax ?? transactionsDefault)
    return { append: 2, settle: 1, alarm: 1, heartbeat: 1, tick: 1, deliver: 2, workflow: 3, read: 4 }[lane]
  }

  #name(lane: string): string {
    return `${this.#options.applicationName ?? 'eventspine'} ${lane}`
  }

  /** What is on its way is waited for, but not long. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    const destroyAll = () => this.#open.forEach(destroy)
    const cancel = this.clock.after(closeMsMax, destroyAll)
    await Promise.all(pools.map((pool) => pool.end()))
    cancel()
    // A server that forgot a connection never ends its side of it, and the process would wait for that.
    if (this.#open.size > 0) this.clock.after(endMsMax, destroyAll)
  }
}

// The types of a pooled client leave its connection out.
const destroy = (client: pg.ClientBase) => (client as unknown as pg.Client).connection.stream.destroy()

const unreachable = /^(08|57P0|53|55P03|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENOENT|EACCES)/

/** True when the database could not be reached or refused for want of resources: the same call may succeed later. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof EventspineError) return error.code === 'UNAVAILABLE'
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (unreachable.test(code)) return true
  if (error instanceof AggregateError) return error.errors.some(isUnavailable)
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|the database system is/i.test(
    error.message,
  )
}

export function translate(error: unknown): unknown {
  if (error instanceof EventspineError || !isUnavailable(error)) return error
  return new EventspineError(
    'UNAVAILABLE',
    'The database cannot be reached. Nothing needs doing if it comes back: workers resume by themselves, publishers should call again.',
    { cause: error, retryAfterMs: 2_000 },
  )
}

/** The connection broke after the statement had left: the server may have committed it. An error that the server
 *  sent is definite. */
export function unknownOutcome(error: unknown): unknown {
  const definite = error instanceof pg.DatabaseError || !isUnavailable(error)
  if (definite) return translate(error)
  return new EventspineError(
    'UNKNOWN_OUTCOME',
    'The connection broke before the database answered: the event may be stored or not. If you gave it an id, publish it again with the same id and it is stored once; without one, look before you repeat.',
    { cause: error, retryAfterMs: 2_000 },
  )
}
