// The application's own tables, by the application's own means: whoever starts the app, `npm start` or the command
// line, has this run behind the library's own migration, by one process at a time.
import type { EventspineOptions } from 'eventspine'
import pg from 'pg'
import { createTables } from './books.js'

export const prepare: NonNullable<EventspineOptions['prepare']> = async ({ databaseUrl }) => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(createTables)
  } finally {
    await client.end()
  }
}
