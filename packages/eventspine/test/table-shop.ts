// What the tests of table sources share: a table of a user's own beside the log, and what became of its changes.
import { type App, defineApp, defineSubscription, type Eventspine, type EventspineOptions } from 'eventspine'
import { type AnyTableSource, type TableSourceOptions, tableSource } from 'eventspine/source'
import pg from 'pg'
import { afterTest, directUrl, freshSchema, running, sql } from './support.js'

export interface ChangeRow {
  readonly id: string
  readonly source: string
  readonly key: string | null
  readonly tenant: string
  readonly traceparent: string
  readonly correlation: string
  readonly causation: string | null
  readonly data: {
    readonly operation: string
    readonly table: string
    readonly before: Record<string, unknown> | null
    readonly after: Record<string, unknown> | null
    readonly changed: readonly string[]
    readonly omitted: readonly string[]
  }
}

export type Options = Partial<TableSourceOptions<string, string, string>>

export interface ShopOptions extends Options {
  /** Default true. */
  readonly install?: boolean
  readonly spine?: Partial<EventspineOptions>
}

export interface Shop {
  /** Of the log. */
  readonly schema: string
  readonly source: AnyTableSource
  readonly app: App
  readonly spine: Eventspine
  /** What was warned of. */
  readonly warnings: readonly string[]
  /** A statement, in which `@rows` is the table. */
  run(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** The same text for a session of one's own. */
  named(text: string): string
  events(): Promise<ChangeRow[]>
}

export const orders =
  'CREATE TABLE @rows (id bigint PRIMARY KEY, "Status" text, total numeric, email text, card text, note text)'

/** A session of its own, ended behind the test. */
export async function session(url = directUrl): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  afterTest(() => client.end())
  return client
}

/** A running app with one table source, whose table has a name that must be quoted everywhere. */
export async function shop(
  create: string = orders,
  { install = true, spine: more = {}, ...options }: ShopOptions = {},
): Promise<Shop> {
  const schema = freshSchema()
  const place = { schema: `${schema} Own`, table: `Orders'; DROP "x" $body$ \\` }
  const rows = `${pg.escapeIdentifier(place.schema)}.${pg.escapeIdentifier(place.table)}`
  const named = (text: string) =>
    text.replaceAll('@rows', () => rows).replaceAll('@own', () => pg.escapeIdentifier(place.schema))
  afterTest(() => sql(named('DROP SCHEMA IF EXISTS @own CASCADE')))
  await sql(named(`CREATE SCHEMA @own; ${create}`))
  const source = tableSource({
    ...{ name: 'orders-table', table: place, type: 'shop.order-row', key: 'id' },
    ...{ columns: ['id', 'Status', 'total'], ...options },
  })
  const idle = defineSubscription({ name: 'idle', on: source.event, handle: () => {} })
  const app = defineApp({ name: 'shop', sources: [source], subscriptions: [idle] })
  const warnings: string[] = []
  const warn = (message: string) => void warnings.push(message)
  const logger = { debug() {}, info() {}, warn, error: warn }
  const spine = await running(app, schema, { logger, ...more })
  if (install) await spine.sources.tables.install('orders-table', 'ann')
  return {
    ...{ schema, source, app, spine, warnings, named },
    run: (text, values) => sql(named(text), values),
    events: () =>
      sql<ChangeRow & pg.QueryResultRow>(
        `SELECT id, source, key, tenant, traceparent, correlation_id AS correlation, causation_id AS causation, data
         FROM ${schema}.event WHERE type = 'shop.order-row' ORDER BY seq`,
      ),
  }
}
