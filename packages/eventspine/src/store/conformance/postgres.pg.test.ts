// The suite on Postgres, in real time, each test in a schema of its own.
import pg from 'pg'
import { inject } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { silentLogger } from '../../observe/log.js'
import { createPostgresStore } from '../postgres/postgres-store.js'
import { describeStore } from './describe-store.js'
import type { ConformanceStore, OpenTransaction } from './scene.js'

const url = inject('postgresUrl')
const idempotencyWindowMs = 3_600_000
let schemas = 0

describeStore('postgres', async (): Promise<ConformanceStore> => {
  const schema = `conformance_${process.pid}_${++schemas}`
  const store = createPostgresStore({ url, schema, idempotencyWindowMs }, systemClock, silentLogger)
  const open: OpenTransaction[] = []
  await store.migrate()
  await store.open()
  return {
    store,
    async transaction() {
      const transaction = await begin()
      open.push(transaction)
      return transaction
    },
    async close() {
      for (const transaction of open) await transaction.rollback()
      await store.close()
      await drop(schema)
    },
  }
})

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

async function drop(schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`DROP SCHEMA ${schema} CASCADE`)
  await client.end()
}
