// The raw limit: the rows that Eventspine writes for these events, put into a table of the same shape (columns, types,
// defaults, indexes, partitioning) by bare UNNEST statements, and read back where events are handled, too. What is left
// to win is the distance to this.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Ledger } from '../core/ledger.js'
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

const select = {
  name: 'raw.select',
  text: '/* raw.select */ SELECT seq, data FROM raw.event WHERE seq > $1 ORDER BY seq',
}

export const raw: System = {
  async prepare(place, part) {
    await eventspine.prepare(place, part)
    const client = new pg.Client({ connectionString: place.databaseUrl })
    await client.connect()
    await client.query(copyOfTable)
    await client.end()
  },

  async open({ databaseUrl }, { works }, ledger) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max: connectionsMax })
    if (works) return looping(pool, ledger)
    return {
      publish: async (payloads) => {
        await pool.query({ ...insert, values: columnsOf(payloads) })
      },
      stop: () => pool.end(),
    }
  },
}

// The least that it takes: what came meanwhile is inserted by one statement, and what was inserted is read by one. No
// ticks, no cursor, no history; events of transactions that overlap would be lost.
function looping(pool: pg.Pool, ledger: Ledger) {
  const inserted = { waiting: [] as Payload[], done: Promise.resolve(), busy: false }
  const read = { seq: 0, again: false, done: Promise.resolve(), busy: false }
  const readOn = async () => {
    while (read.again) {
      read.again = false
      const { rows } = await pool.query<{ seq: string; data: Payload }>({ ...select, values: [read.seq] })
      for (const { data } of rows) ledger.handle(data, 0)
      read.seq = Number(rows.at(-1)?.seq ?? read.seq)
    }
    read.busy = false
  }
  const insertOn = async () => {
    while (inserted.waiting.length > 0) {
      await pool.query({ ...insert, values: columnsOf(inserted.waiting.splice(0)) })
      read.again = true
      if (!read.busy) read.done = readOn()
      read.busy = true
    }
    inserted.busy = false
  }
  return {
    async publish(payloads: readonly Payload[]) {
      inserted.waiting.push(...payloads)
      if (!inserted.busy) inserted.done = insertOn()
      inserted.busy = true
      await inserted.done
    },
    async stop() {
      await inserted.done
      await read.done
      await pool.end()
    },
  }
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
