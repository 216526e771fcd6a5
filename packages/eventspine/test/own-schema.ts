// A schema of its own for a test file, on the PostgreSQL server of the test run.
import { randomHex, systemClock, systemRandom } from '../src/kernel/index.js'
import { Database } from '../src/store/postgres/database.js'

export interface OwnSchema {
  readonly database: Database
  /** One statement with the schema's name put in; answers its rows. */
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** A session of its own. Whoever opens it ends it. */
  session(): Promise<Session>
  /** Returns when the statement answers a row; throws when it does not within some seconds. */
  waitFor(text: string, values?: readonly unknown[]): Promise<void>
  /** Another set of connections to the same schema, as a second process has. Closed by `drop`. */
  another(): Database
  drop(): Promise<void>
}

export interface Session {
  sql<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>
  end(): Promise<void>
}

const waitMsMax = 20_000

export function ownSchema(): OwnSchema {
  const url = process.env.EVENTSPINE_TEST_DATABASE_URL
  if (url === undefined) throw new Error('EVENTSPINE_TEST_DATABASE_URL is not set: run this through vitest')
  const schema = `test_${randomHex(8, systemRandom)}`
  const open = (to = url) => new Database({ url: to, schema, applicationName: schema }, systemClock)
  const database = open()
  // A pooler gives a session to whoever comes next.
  const direct = open(process.env.EVENTSPINE_TEST_DIRECT_DATABASE_URL)
  const others = [direct]
  const session = async (): Promise<Session> => {
    const client = await direct.connect('transaction')
    return {
      sql: async <Row>(text: string, values: readonly unknown[] = []) =>
        (await client.query(database.sql(text), [...values])).rows as Row[],
      end: async () => client.release(true),
    }
  }
  return {
    database,
    session,
    async sql<Row>(text: string, values: readonly unknown[] = []) {
      const own = await session()
      try {
        return await own.sql<Row>(text, values)
      } finally {
        await own.end()
      }
    },
    async waitFor(text, values = []) {
      const own = await session()
      try {
        const until = systemClock.monotonic() + waitMsMax
        while ((await own.sql(text, values)).length === 0) {
          if (systemClock.monotonic() > until) throw new Error(`Nothing came of: ${text}`)
        }
      } finally {
        await own.end()
      }
    },
    another() {
      const other = open()
      others.push(other)
      return other
    },
    async drop() {
      const own = await session()
      await own.sql(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
      await own.end()
      await Promise.all([database, ...others].map((each) => each.close()))
    },
  }
}

/** Appends `count` events of `type` in one transaction, straight into the table. */
export const insertEvents = (count: number, type = 'tests.happened') =>
  `INSERT INTO eventspine.event (time, version, id, type, tenant, source, key, traceparent, correlation_id, data)
   SELECT now(), 1, gen_random_uuid()::text, '${type}', 'default', '/tests', number::text, '00-0-0-00', 'none', '{}'
   FROM generate_series(1, ${count}) AS number RETURNING seq`

/** Uses up transaction ids until the next one is at least `xid`. */
export async function burnTransactions(own: Pick<OwnSchema, 'sql'>, xid: number): Promise<void> {
  await own.sql(`DO $$ BEGIN
    WHILE pg_snapshot_xmax(pg_current_snapshot())::text::bigint < ${xid} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP;
  END $$`)
}
