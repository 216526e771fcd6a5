// The raw limit: the rows that Eventspine writes for these events, put into a table of the same shape (columns, types,
// defaults, indexes, partitioning) by bare UNNEST statements. What is left to win is the distance to this.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Payload } from '../core/payload.js'
import { eventspine } from './eventspine.js'
import type { System } from './system.js'

const connectionsMax = 2

const copyOfTable = `
CREATE SCHEMA raw;
CREATE SEQUENCE raw.event_seq AS bigint CACHE 1;
CREATE TABLE raw.event (LIKE eventspine.event INCLUDING ALL) PARTITION BY RANGE (epoch, xid);
ALTER TABLE raw.event ALTER COLUMN seq SET DEFAULT nextval('raw.event_seq');
CREATE TABLE raw.event_all PARTITION OF raw.event DEFAULT;
`

const types = ['float8', 'int', ...Array.from({ length: 12 }, () => 'text')]
const columns =
  'version, id, type, tenant, source, subject, key, traceparent, correlation_id, causation_id, claim, extensions, data'
const insert = {
  name: 'raw.insert',
  text: `/* raw.insert */ INSERT INTO raw.event (time, ${columns})
SELECT to_timestamp(i.time_ms / 1000), i.version, i.id, i.type, i.tenant, i.source, i.subject, i.key, i.traceparent,
  i.correlation_id, i.causation_id, i.claim, i.extensions::json, i.data::json
FROM unnest(${types.map((type, index) => `$${index + 1}::${type}[]`).join(', ')}) AS i(time_ms, ${columns})`,
}

export const raw: System = {
  async prepare(place, part) {
    await eventspine.prepare(place, part)
    const client = new pg.Client({ connectionString: place.databaseUrl })
    await client.connect()
    await client.query(copyOfTable)
    await client.end()
  },

  async open({ databaseUrl }) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: connectionsMax })
    return {
      publish: async (payloads) => {
        await pool.query({ ...insert, values: columnsOf(payloads) })
      },
      stop: () => pool.end(),
    }
  },
}

function columnsOf(payloads: readonly Payload[]): unknown[][] {
  const values: unknown[][] = types.map(() => new Array(payloads.length))
  payloads.forEach((payload, row) => {
    rowOf(payload).forEach((value, column) => {
      ;(values[column] as unknown[])[row] = value
    })
  })
  return values
}

function rowOf(payload: Payload): unknown[] {
  const id = orderedId()
  const traceparent = `00-${id.replaceAll('-', '')}-0123456789abcdef-00`
  const identity = [1, id, 'bench.measured', 'default', '/bench', null, payload.customer, traceparent, id]
  return [Date.now(), ...identity, null, null, null, JSON.stringify(payload)]
}

// As ours: they begin with the time, which keeps the index on them warm.
function orderedId(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
