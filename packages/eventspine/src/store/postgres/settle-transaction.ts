// The transaction of a chunk of transactional deliveries: their effects and their settlement commit together.
import type { PoolClient, QueryResult } from 'pg'
import type { SettleAnswer, Settlement, SettleTransaction } from '../../settle/port.js'
import { type Database, translate } from './database.js'
import { HandlerStatements } from './handler-statements.js'
import { claimed, isKeyed, type Run, settleBy } from './settle-record.js'

/** What the server waits beyond the deadline before it ends a transaction that does nothing; and what its answer to a
 *  statement may take beyond that, before the connection is given up. */
const marginMs = 5_000
const beginMsMax = 10_000
/** What each statement of the record itself may take: it has nothing to do with the deadline of the handlers. */
const recordMsMax = 30_000

const withoutComments = (text: string) => text.replace(/^(\s|;|--[^\n]*(\n|$)|\/\*[^]*?\*\/)+/, '')

const endsTransaction =
  /^\s*(commit|end|abort|prepare\s+transaction|rollback(?!\s+((work|transaction)\s+)?to\b))\b/i

export class PostgresSettleTransaction implements SettleTransaction {
  readonly #database: Database
  readonly #client: PoolClient
  readonly #statements: HandlerStatements
  #statementMsMax: number
  readonly #windowMs: number
  #open = true

  private constructor(database: Database, client: PoolClient, deadlineMs: number, windowMs: number) {
    this.#database = database
    this.#client = client
    this.#statements = new HandlerStatements(client)
    this.#statementMsMax = deadlineMs
    this.#windowMs = windowMs
  }

  // Bounded in the database too: a handler that hangs inside its transaction would hold back cleaning for all.
  static async begin(
    database: Database,
    deadlineMs: number,
    windowMs: number,
  ): Promise<PostgresSettleTransaction> {
    const client = await database.connect('transaction')
    const ms = Math.ceil(deadlineMs)
    try {
      const text = `/* settle.begin */ BEGIN; SET LOCAL statement_timeout = ${ms}; SET LOCAL idle_in_transaction_session_timeout = ${ms + marginMs}`
      await database.within(client, beginMsMax, () => client.query(text))
    } catch (error) {
      client.release(true)
      throw translate(error)
    }
    return new PostgresSettleTransaction(database, client, ms, windowMs)
  }

  // The server itself gives up a statement in time. A connection on which not even that is heard is dead.
  #answer(ask: () => Promise<QueryResult>): Promise<QueryResult> {
    return this.#database.within(this.#client, this.#statementMsMax + marginMs, ask)
  }

  /** The handler's own statement. */
  async query<Row = Record<string, unknown>>(text: string, values: readonly unknown[] = []) {
    // The connection serves another transaction by now, or none: a late statement would be an effect of nobody.
    if (!this.#open)
      throw new Error('The transaction of this attempt is over. Await each statement inside the handler.')
    if (endsTransaction.test(withoutComments(text)))
      throw new Error(
        `The handler ran "${text.trim().slice(0, 40).toUpperCase()}", but its transaction ends with the outcome of the delivery. Throw to undo it; use savepoints for a part of it.`,
      )
    const { rows, rowCount } = await this.#answer(() =>
      this.#statements.send(`/* handle.statement */ ${text}`, values),
    )
    return { rows: rows as Row[], rowCount }
  }

  async settle(worker: string, settlement: Settlement): Promise<SettleAnswer> {
    try {
      return await this.#settle(worker, settlement)
    } catch (error) {
      throw translate(error)
    }
  }

  async #settle(worker: string, settlement: Settlement): Promise<SettleAnswer> {
    // What the handlers left broken must speak before the outcome is recorded: an aborted transaction would be rolled
    // back without a word by its COMMIT, and a deferred constraint would refuse that one again and again.
    this.#statementMsMax = recordMsMax
    const checked = this.#answer(() =>
      this.#client.query(
        `/* settle.check */ SET LOCAL statement_timeout = ${this.#statementMsMax}; SET CONSTRAINTS ALL IMMEDIATE`,
      ),
    )
    const run: Run = async (name, text, values = []) =>
      (await this.#answer(() => this.#client.query(this.#database.statement(name, text, values)))).rows
    let target = settlement
    if (isKeyed([settlement])) {
      await checked
      const claim = await claimed(run, [settlement], this.#windowMs)
      if (claim.conflicts.size > 0) {
        await this.rollback()
        return { settled: new Set(), conflicts: claim.conflicts }
      }
      target = claim.cleaned[0] ?? settlement
    }
    // Both go out together: what the check refuses has aborted the transaction, and the record fails with it.
    const [check, record] = await Promise.allSettled([checked, settleBy(run, worker, [target])])
    if (check.status === 'rejected') throw check.reason
    if (record.status === 'rejected') throw record.reason
    const { now, before } = record.value
    // Recorded by an earlier sending: its effects are there, and these would be the second.
    if (now.size > 0) await this.#end('COMMIT')
    else await this.rollback()
    return { settled: now.size > 0 ? now : before, conflicts: new Map() }
  }

  rollback(): Promise<void> {
    return this.#end('ROLLBACK')
  }

  async #end(command: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    if (!this.#open) return
    this.#open = false
    this.#statementMsMax = recordMsMax
    try {
      await this.#answer(() => this.#client.query(`/* settle.end */ ${command}`))
      this.#client.release()
    } catch (error) {
      this.#client.release(true)
      throw translate(error)
    }
  }
}
