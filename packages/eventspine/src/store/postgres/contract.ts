// Contracts of events. Mostly all is registered already, which one statement says; writing is done by one at a time.
import type { Contract, ContractPort, RegisteredContract, Registration } from '../../contract/port.js'
import type { Connection, Database } from './database.js'
import { lockKey } from './exclusive.js'

const select = `SELECT type, version, fingerprint, schema::text AS schema, description, app,
  (extract(epoch FROM registered_at) * 1000)::float8 AS "registeredAtMs"
FROM eventspine.event_contract WHERE $1::text[] IS NULL OR type = ANY($1::text[]) ORDER BY type COLLATE "C", version`

const write = `INSERT INTO eventspine.event_contract AS c (type, version, fingerprint, schema, description, app)
SELECT i.type, i.version, i.fingerprint, i.schema::json, i.description, $6
FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[]) AS i(type, version, fingerprint, schema, description)
ON CONFLICT (type, version) DO UPDATE SET fingerprint = excluded.fingerprint, schema = excluded.schema,
  description = excluded.description, app = excluded.app, registered_at = clock_timestamp()`

const audit = `INSERT INTO eventspine.audit (actor, action, target, details)
SELECT $1, 'contract.replace', i.type || ' version ' || i.version, json_build_object('fingerprint', i.fingerprint, 'schema', i.schema::json)
FROM unnest($2::text[], $3::int[], $4::text[], $5::text[]) AS i(type, version, fingerprint, schema)`

export function contractStatements(database: Database): ContractPort {
  const outside: Connection = { query: (name, text, values) => database.query('read', name, text, values) }
  return {
    contracts: (types) => registered(outside, types),

    async registerContracts(app, types, decide) {
      // Mostly all of it is there.
      const likely = decide(await registered(outside, types))
      if (likely.written.length === 0) return likely
      return await database.transaction('read', async (connection) => {
        const lock = `SELECT pg_advisory_xact_lock(${lockKey('eventspine.contracts')})`
        await connection.query('contract.lock', lock)
        const decided = decide(await registered(connection, types))
        await writeDown(connection, app, decided)
        return decided
      })
    },
  }
}

type Row = Omit<RegisteredContract, 'schema'> & { readonly schema: string | null }

async function registered(
  connection: Connection,
  types: readonly string[] | undefined,
): Promise<RegisteredContract[]> {
  const rows = await connection.query<Row>('contract.list', select, [types ?? null])
  return rows.map((row) => ({ ...row, schema: row.schema === null ? null : JSON.parse(row.schema) }))
}

async function writeDown(
  connection: Connection,
  app: string,
  { written, replaced, replacedBy }: Registration,
): Promise<void> {
  const descriptions = written.map(({ description }) => description)
  await connection.query('contract.write', write, [...columnsOf(written), descriptions, app])
  if (replacedBy !== null)
    await connection.query('contract.audit', audit, [replacedBy, ...columnsOf(replaced)])
}

const columnsOf = (contracts: readonly Contract[]): unknown[] => [
  contracts.map(({ type }) => type),
  contracts.map(({ version }) => version),
  contracts.map(({ fingerprint }) => fingerprint),
  contracts.map(({ schema }) => (schema === null ? null : JSON.stringify(schema))),
]
