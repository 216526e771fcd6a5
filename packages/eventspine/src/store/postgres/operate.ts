// Pause and resume, each with its audit row in the same transaction.
import type { OperatePort } from '../../inspect/port.js'
import { EventspineError } from '../../kernel/index.js'
import type { Connection, Database } from './database.js'
import { insertAudit } from './dead-letters.js'
import { explained } from './inspect-page.js'

// No audit row when nothing changed: pause is asked again and again until nobody holds a lease.
const setState = `UPDATE eventspine.subscription SET state = $2 WHERE name = $1 AND state <> $2 RETURNING name`

// Only the database's clock judges a lease: one that ran out cannot settle and starts nothing.
const countHeld = `SELECT count(*)::int AS count FROM eventspine.consumer
WHERE subscription = $1 AND owner IS NOT NULL AND lease_until > clock_timestamp()`

async function change(
  connection: Connection,
  subscription: string,
  state: 'active' | 'paused',
  actor: string,
): Promise<void> {
  const changed = await connection.query('operate.state', setState, [subscription, state])
  if (changed.length === 0) return requireSubscription(connection, subscription)
  const action = state === 'paused' ? 'subscription.pause' : 'subscription.resume'
  await connection.query('operate.audit', insertAudit, [actor, action, subscription, '{}'])
}

async function requireSubscription(connection: Connection, subscription: string): Promise<void> {
  const text = 'SELECT name FROM eventspine.subscription WHERE name = $1'
  if ((await connection.query('operate.known', text, [subscription])).length > 0) return
  throw new EventspineError(
    'NOT_FOUND',
    `No subscription "${subscription}" is registered. List them to see their names.`,
  )
}

export function operateStatements(database: Database): OperatePort {
  const transaction = <Result>(work: (connection: Connection) => Promise<Result>) =>
    explained(() => database.transaction('read', work))
  return {
    pause: (subscription, actor) =>
      transaction(async (connection) => {
        await change(connection, subscription, 'paused', actor)
        const [held] = await connection.query<{ count: number }>('operate.held', countHeld, [subscription])
        return held?.count ?? 0
      }),

    resume: (subscription, actor) =>
      transaction((connection) => change(connection, subscription, 'active', actor)),
  }
}
