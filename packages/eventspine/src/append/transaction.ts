// Recognises the caller's transaction: pg, Kysely, Drizzle, Prisma, or anything with `query(text, values)`. None of
// them is a dependency; each is known by the shape that it documents.
import { EventspineError } from '../kernel/index.js'
import type { SqlExecutor } from './port.js'

type Rows = readonly Record<string, unknown>[]

interface PgLike {
  query(text: string, values: unknown[]): Promise<{ readonly rows: Rows }>
  /** `I`: idle, in no transaction. */
  getTransactionStatus?(): string | null
}

interface KyselyLike {
  executeQuery(query: object): Promise<{ readonly rows: Rows }>
}

interface PrismaLike {
  $queryRawUnsafe(text: string, ...values: unknown[]): Promise<Rows>
}

interface DrizzleLike {
  readonly session: { readonly client: PgLike }
}

const has = (value: unknown, name: string): value is Record<string, unknown> =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && name in value

/** A pg client or pool client, a Kysely or Drizzle (node-postgres) or Prisma transaction, or `{ query(text, values) }`. */
export type CallerTransaction = object

export function executorOf(transaction: unknown): SqlExecutor {
  if (has(transaction, '$queryRawUnsafe')) return prismaExecutor(transaction)
  if (has(transaction, 'executeQuery') && has(transaction, 'isTransaction'))
    return kyselyExecutor(transaction)
  if (
    has(transaction, 'session') &&
    has(transaction['session'], 'client') &&
    has(transaction['session']['client'], 'query')
  )
    return drizzleExecutor(transaction)
  if (has(transaction, 'query') && typeof transaction['query'] === 'function')
    return pgExecutor(transaction as unknown as PgLike)
  throw unsupported(
    'none that Eventspine knows. Pass a pg client, a Kysely, Drizzle or Prisma transaction, or an object with query(text, values) that answers { rows }',
  )
}

// Only the client itself can begin transactions.
function prismaExecutor(transaction: Record<string, unknown>): SqlExecutor {
  if (typeof transaction['$transaction'] === 'function' && typeof transaction['$connect'] === 'function')
    throw unsupported(
      'a Prisma client outside a transaction. Call publish inside prisma.$transaction(async (tx) => …)',
    )
  const prisma = transaction as unknown as PrismaLike
  return (text, values) => prisma.$queryRawUnsafe(text, ...values)
}

function kyselyExecutor(transaction: Record<string, unknown>): SqlExecutor {
  if (transaction['isTransaction'] !== true)
    throw unsupported(
      'a Kysely instance outside a transaction. Call publish inside db.transaction().execute(async (tx) => …)',
    )
  const kysely = transaction as unknown as KyselyLike
  return async (sql, parameters) =>
    (
      await kysely.executeQuery({
        sql,
        parameters,
        query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
        queryId: { queryId: 'eventspine' },
      })
    ).rows
}

// Its transactions can roll themselves back; a database cannot.
function drizzleExecutor(transaction: Record<string, unknown>): SqlExecutor {
  if (typeof transaction['rollback'] !== 'function')
    throw unsupported(
      'a Drizzle database outside a transaction. Call publish inside db.transaction(async (tx) => …)',
    )
  return pgExecutor((transaction as unknown as DrizzleLike).session.client)
}

function pgExecutor(client: PgLike): SqlExecutor {
  if (has(client, 'totalCount'))
    throw unsupported(
      'a pg Pool, whose queries are no transaction. Pass the client from pool.connect() after BEGIN',
    )
  // The event would be there at once, whatever became of the rest. Older drivers do not tell.
  if (client.getTransactionStatus?.() === 'I')
    throw unsupported(
      "a pg client that is in no transaction. Await client.query('BEGIN') first, or publish without it",
    )
  return async (text, values) => (await client.query(text, [...values])).rows
}

const unsupported = (what: string) =>
  new EventspineError('TRANSACTION_UNSUPPORTED', `publish(tx, …) was given ${what}.`)
