// The kinds of transaction that publish(tx, …) takes, each made by the real library, with one face for the tests.
import { PrismaPg } from '@prisma/adapter-pg'
import { getPrismaClient } from '@prisma/client/runtime/client'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Kysely, sql as kyselySql, PostgresDialect } from 'kysely'
import pg from 'pg'

/** What a test does inside one transaction. */
export interface Writer {
  /** What is handed to `publish`. */
  readonly transaction: object
  /** Writes the caller's own row through the same transaction. */
  insert(n: number): Promise<unknown>
  /** Keeps the transaction open for so many seconds of the database's clock. */
  sleep(seconds: number): Promise<unknown>
}

export interface Kind {
  /** Commits when `work` resolves, rolls back when it rejects. */
  within<Result>(work: (writer: Writer) => Promise<Result>): Promise<Result>
  /** Handles of the same library outside a transaction, and what their refusal advises. */
  readonly outside: readonly (readonly [object, RegExp])[]
  close(): Promise<unknown>
}

type Open = (url: string, schema: string) => Promise<Kind>

const sleeping = (seconds: number) => `SELECT pg_sleep(${seconds})::text AS slept`
const inserting = (schema: string, n: number) => `INSERT INTO ${schema}.booking VALUES (${n})`

const openPg: Open = async (url, schema) => {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const idle = await pool.connect()
  return {
    outside: [
      [pool, /pool\.connect\(\) after BEGIN/],
      [idle, /BEGIN/],
    ],
    async within(work) {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        const result = await work({
          transaction: client,
          insert: (n) => client.query(inserting(schema, n)),
          sleep: (seconds) => client.query(sleeping(seconds)),
        })
        await client.query('COMMIT')
        return result
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      } finally {
        client.release()
      }
    },
    async close() {
      idle.release()
      await pool.end()
    },
  }
}

const openKysely: Open = async (url, schema) => {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const database = new Kysely<Record<string, Record<string, unknown>>>({
    dialect: new PostgresDialect({ pool }),
  })
  return {
    outside: [[database, /db\.transaction\(\)\.execute/]],
    within: (work) =>
      database.transaction().execute((transaction) =>
        work({
          transaction,
          insert: (n) => kyselySql.raw(inserting(schema, n)).execute(transaction),
          sleep: (seconds) => kyselySql.raw(sleeping(seconds)).execute(transaction),
        }),
      ),
    close: () => database.destroy(),
  }
}

const openDrizzle: Open = async (url, schema) => {
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const database = drizzle(pool)
  return {
    outside: [[database, /db\.transaction\(/]],
    within: (work) =>
      database.transaction((transaction) =>
        work({
          transaction,
          insert: (n) => transaction.execute(drizzleSql.raw(inserting(schema, n))),
          sleep: (seconds) => transaction.execute(drizzleSql.raw(sleeping(seconds))),
        }),
      ),
    close: () => pool.end(),
  }
}

// Neither these parts of Prisma nor WebAssembly are declared for TypeScript here.
const load = (file: string) => import(`@prisma/client/runtime/${file}`)
const Wasm: { readonly Module: new (bytes: Uint8Array) => object } = Reflect.get(globalThis, 'WebAssembly')

// Prisma's own runtime and driver adapter with a schema that has no models: what `prisma generate` writes, less the
// models, so that no generator and no engine binary has to be installed for the tests.
const PrismaClient = getPrismaClient({
  previewFeatures: [],
  clientVersion: '7.10.0',
  engineVersion: 'none',
  activeProvider: 'postgresql',
  inlineSchema: 'datasource db {\n  provider = "postgresql"\n}\n',
  runtimeDataModel: { models: {}, enums: {}, types: {} },
  parameterizationSchema: { strings: [], graph: 'AAAA' },
  compilerWasm: {
    getRuntime: () => load('query_compiler_fast_bg.postgresql.mjs'),
    async getQueryCompilerWasmModule() {
      const { wasm }: { readonly wasm: string } = await load(
        'query_compiler_fast_bg.postgresql.wasm-base64.mjs',
      )
      return new Wasm.Module(Buffer.from(wasm, 'base64'))
    },
    importName: './query_compiler_fast_bg.js',
  },
})

interface PrismaTransaction {
  $executeRawUnsafe(text: string): Promise<number>
  $queryRawUnsafe(text: string): Promise<unknown>
}

interface PrismaDatabase extends PrismaTransaction {
  $transaction<Result>(
    work: (transaction: PrismaTransaction) => Promise<Result>,
    options: { readonly timeout: number },
  ): Promise<Result>
  $disconnect(): Promise<void>
}

const openPrisma: Open = async (url, schema) => {
  const adapter = new PrismaPg({ connectionString: url, max: 2 })
  const database = new PrismaClient({ adapter }) as unknown as PrismaDatabase
  return {
    outside: [[database, /\$transaction\(/]],
    within: (work) =>
      database.$transaction(
        (transaction) =>
          work({
            transaction,
            insert: (n) => transaction.$executeRawUnsafe(inserting(schema, n)),
            sleep: (seconds) => transaction.$queryRawUnsafe(sleeping(seconds)),
          }),
        { timeout: 20_000 },
      ),
    close: () => database.$disconnect(),
  }
}

export const kinds: readonly { readonly name: string; readonly open: Open }[] = [
  { name: 'pg', open: openPg },
  { name: 'Kysely', open: openKysely },
  { name: 'Drizzle', open: openDrizzle },
  { name: 'Prisma', open: openPrisma },
]
