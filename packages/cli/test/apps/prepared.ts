// An app with a table of its own: made by its preparation, which is not safe to run twice at once.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import pg from 'pg'
import { z } from 'zod'

const noted = defineEvent({ type: 'notes.noted', schema: z.object({ text: z.string() }) })
const keep = defineSubscription({
  name: 'keep',
  on: noted,
  start: 'beginning',
  transact: async ({ data }, { tx }) =>
    void (await tx.query('INSERT INTO notes.note VALUES ($1)', [data.text])),
})

export const app = defineApp({ name: 'notes', events: [noted], subscriptions: [keep] })

const found = "SELECT to_regclass('notes.note') AS name"
const make = process.env.NOTES_SQL ?? 'CREATE SCHEMA notes; CREATE TABLE notes.note (text text NOT NULL)'

export async function prepare({ cell, databaseUrl }: { cell: string; databaseUrl: string }): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: `prepare ${cell}` })
  await client.connect()
  try {
    const { rows } = await client.query(`${found}, pg_sleep(0.2)`)
    if (rows[0]?.name === null) await client.query(make)
  } finally {
    await client.end()
  }
}
