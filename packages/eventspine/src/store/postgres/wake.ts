// Hints between processes that something was appended: LISTEN and a coalesced NOTIFY from a connection of its own.
// Inside the publish transaction NOTIFY takes a lock on the whole database: 19,288/s fell to 2,858/s at 32 clients.
import type { WakePort } from '../../deliver/port.js'
import type { Clock } from '../../kernel/index.js'
import { type Database, endMsMax } from './database.js'

const notifyEveryMs = 3
const reconnectMs = 2_000
/** A server that takes connections and ends them at once is asked so often. */
const endedMs = 200
/** Who only listens does not notice that the other side has forgotten it: so often it asks, and waits so long. */
const askEveryMs = 15_000
const answerMsMax = 10_000

export function wakeStatements(database: Database, clock: Clock): WakePort {
  const channel = `${database.schema}_appended`
  let sending = false
  const wanted = new Set<string>()

  const send = async () => {
    sending = true
    for (const by of wanted) {
      wanted.delete(by)
      await database
        .query('deliver', 'deliver.notify', 'SELECT pg_notify($1, $2)', [channel, by])
        .catch(() => {})
      await clock.sleep(notifyEveryMs)
    }
    sending = false
  }

  return {
    notify(by) {
      wanted.add(by)
      if (!sending) void send()
    },

    async listen(action) {
      if (database.pooled) return undefined
      const stop = new AbortController()
      const running = listening(database, channel, action, clock, stop.signal)
      return async () => {
        stop.abort()
        await running
      }
    },
  }
}

// Keeps one connection listening until stopped. What is missed while it is away, the slow poll finds.
async function listening(
  database: Database,
  channel: string,
  action: (by: string) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const client = database.dedicated()
    const over = new AbortController()
    const end = () => over.abort()
    signal.addEventListener('abort', end)
    // Also while LISTEN is on its way: an error without a listener would end the process.
    client.on('error', end).once('end', end)
    const answered = (ask: () => Promise<unknown>) => database.within(client, answerMsMax, ask)
    try {
      await client.connect()
      client.on('notification', ({ payload = '' }) => action(payload))
      await answered(() => client.query(`LISTEN "${channel}"`))
      action('')
      // Heard by itself, too: that is how it knows that hints come through.
      await answered(() => client.query('/* deliver.echo */ SELECT pg_notify($1, $2)', [channel, 'listener']))
      while (!over.signal.aborted) {
        await clock.sleep(askEveryMs, over.signal)
        if (!over.signal.aborted) await answered(() => client.query('/* deliver.listen */ SELECT'))
      }
      await clock.sleep(endedMs, signal)
    } catch {
      await clock.sleep(reconnectMs, signal)
    } finally {
      signal.removeEventListener('abort', end)
      await database.within(client, endMsMax, () => client.end()).catch(() => {})
    }
  }
}
