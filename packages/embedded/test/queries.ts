// SQL over a connection of its own, for tests.
import pg from 'pg'

/** Runs one statement and closes the connection. */
export async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  // A server that is killed under a connection is what several tests are about.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

/** Runs one statement as soon as the server takes sessions again, within half a minute. */
export async function queryWhenBack(url: string, statement: string): Promise<Record<string, unknown>[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await query(url, statement)
    } catch (error) {
      if (tries === 600) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
