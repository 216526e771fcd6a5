// A transaction of the memory store: what it appends is in the log under its number, and seen by nobody else until
// it commits. It can be handed to `publish(tx, …)` in place of a database connection.
import { EventspineError } from '../../kernel/index.js'
import type { MemoryTables } from './tables.js'

/** Runs SQL on behalf of a handler under test. There is no SQL in memory: a test that needs some brings it. */
export type MemoryQuery = (
  text: string,
  values: readonly unknown[],
) => Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>

/** Asked of a caller's executor: answered by the transaction itself, however it is wrapped. */
export const whichTransaction = '/* eventspine.memory: which transaction? */'

export class MemoryTransaction {
  readonly #tables: MemoryTables
  readonly #query: MemoryQuery | undefined
  readonly #keys: string[] = []
  #xid: number | undefined
  #state: 'open' | 'committed' | 'rolled back' = 'open'
  #end: () => void = () => {}
  /** Resolves when it committed or rolled back. */
  readonly ended: Promise<void>
  /** Whose end it waits for, so that two that wait for each other are found. */
  waitsFor: MemoryTransaction | undefined

  constructor(tables: MemoryTables, query?: MemoryQuery) {
    this.#tables = tables
    this.#query = query
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  get open(): boolean {
    return this.#state === 'open'
  }

  /** Its number, given out at its first write as in Postgres. */
  get xid(): number {
    this.#mustBeOpen()
    this.#xid ??= this.#tables.beginXid()
    return this.#xid
  }

  /** Remembers an idempotency key that goes away if this rolls back. */
  holds(key: string): void {
    this.#keys.push(key)
  }

  readonly query: MemoryQuery = async (text, values) => {
    this.#mustBeOpen()
    if (text === whichTransaction) return { rows: [{ transaction: this }], rowCount: 1 }
    if (this.#query === undefined) {
      throw new EventspineError(
        'TRANSACTION_UNSUPPORTED',
        `The memory store runs no SQL, so it cannot run "${text.slice(0, 80)}". Give it a \`query\` that answers for the database, or test this handler on Postgres.`,
      )
    }
    return await this.#query(text, values)
  }

  commit(): void {
    this.#mustBeOpen()
    this.#finish('committed')
  }

  /** Harmless when it ended already. */
  rollback(): void {
    if (!this.open) return
    this.#tables.forget(this.#xid, this.#keys)
    this.#finish('rolled back')
  }

  #finish(state: 'committed' | 'rolled back'): void {
    this.#state = state
    if (this.#xid !== undefined) this.#tables.endXid(this.#xid)
    this.#end()
  }

  #mustBeOpen(): void {
    if (!this.open) {
      throw new EventspineError('REQUEST_INVALID', `This transaction is ${this.#state}: begin another one.`)
    }
  }
}
