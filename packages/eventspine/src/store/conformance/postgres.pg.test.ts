// The suite on Postgres, in real time, in a schema of its own. Every test finds it empty, as it is after migrate():
// a new schema for each would take five times as long.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { silentLogger } from '../../observe/log.js'
import { createPostgresStore } from '../postgres/postgres-store.js'
import { describeStore } from './describe-store.js'
import type { ConformanceStore, OpenTransaction } from './scene.js'

const url = inject('postgresUrl')
const schema = `conformance_${randomBytes(6).toString('hex')}`
const store = createPostgresStore({ url, schema, idempotencyWindowMs: 3_600_000 }, systemClock, silentLogger)
const administrator = new pg.Client({ connectionString: url })

beforeAll(async () => {
  await administrator.connect()
  await store.migrate()
  await store.open()
})

afterAll(async () => {
  await store.close()
  await administrator.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await administrator.end()
})

describeStore('postgres', async (): Promise<ConformanceStore> => {
  await empty()
  const open: OpenTransaction[] = []
  return {
    store,
    passesHints: !url.includes('pgbouncer=true'),
    async transaction() {
      const transaction = await begin()
      open.push(transaction)
      return transaction
    },
    async close() {
      for (const transaction of open) await transaction.rollback()
    },
  }
})

/** Leaves what migrate() made: the epoch, and the tick that the beginning stands behind. */
async function empty(): Promise<void> {
  const { rows } = await administrator.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT IN ('epoch', 'migration')`,
    [schema],
  )
  const deletions = rows.map(({ name }) => `DELETE FROM ${schema}.${name};`)
  await administrator.query(`${deletions.join('\n')}
    ALTER SEQUENCE ${schema}.event_seq RESTART;
    INSERT INTO ${schema}.tick (number, epoch, after, snapshot, seq_estimate)
    SELECT 0, 1, pg_current_snapshot(), pg_current_snapshot(), 0`)
}

/** A transaction on a connection of its own; ends once. */
async function begin(): Promise<OpenTransaction> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('BEGIN')
  let ended = false
  const end = async (command: 'COMMIT' | 'ROLLBACK') => {
    if (ended) return
    ended = true
    await client.query(command)
    await client.end()
  }
  return {
    executor: async (text, values) => (await client.query(text, [...values])).rows,
    commit: () => end('COMMIT'),
    rollback: () => end('ROLLBACK'),
  }
}
