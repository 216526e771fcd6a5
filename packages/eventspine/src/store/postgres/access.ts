// API keys and sessions that all servers of a log share. The database's clock judges what has ended.
import {
  type AccessPort,
  type StoredKey,
  type StoredSession,
  storedKeysMax,
  withdrawnKeysMax,
} from '../../access/port.js'
import { insertAudit } from './audit.js'
import type { Database } from './database.js'

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`
const keyColumns = `id, hash, name, scopes, tenant, ${ms('created_at')} AS created_ms, created_by,
  ${ms('withdrawn_at')} AS withdrawn_ms, withdrawn_by, withdrawn_reason`

const listKeys = `(SELECT ${keyColumns} FROM eventspine.api_key WHERE withdrawn_at IS NULL ORDER BY created_at DESC, id LIMIT ${storedKeysMax})
UNION ALL
(SELECT ${keyColumns} FROM eventspine.api_key WHERE withdrawn_at IS NOT NULL ORDER BY withdrawn_at DESC, id LIMIT ${withdrawnKeysMax})`

// One at a time: of two at once, neither would count the other's.
const lockKeys = 'LOCK TABLE eventspine.api_key IN SHARE ROW EXCLUSIVE MODE'
const insertKey = `INSERT INTO eventspine.api_key (id, hash, name, scopes, tenant, created_by)
SELECT $1, $2, $3, $4::text[], $5, $6
WHERE (SELECT count(*) FROM eventspine.api_key WHERE withdrawn_at IS NULL) < ${storedKeysMax}
ON CONFLICT (id) DO NOTHING RETURNING id`

const withdrawKey = `UPDATE eventspine.api_key SET withdrawn_at = clock_timestamp(), withdrawn_by = $2, withdrawn_reason = $3
WHERE id = $1 AND withdrawn_at IS NULL RETURNING ${keyColumns}`

const sweepSessions = `DELETE FROM eventspine.console_session s WHERE s.expires_at <= clock_timestamp()
  OR s.token_hash IN (SELECT o.token_hash FROM eventspine.console_session o
    WHERE o.key_id = $1 AND o.expires_at > clock_timestamp() ORDER BY o.opened_at DESC, o.token_hash OFFSET greatest(0, $2::int - 1))`
const insertSession = `INSERT INTO eventspine.console_session (token_hash, key_id, key_hash, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + $4::float8 * interval '1 millisecond') RETURNING ${ms('expires_at')} AS expires_ms`
const findSession = `SELECT key_id AS "keyId", key_hash AS "keyHash", ${ms('expires_at')} AS "expiresAtMs"
FROM eventspine.console_session WHERE token_hash = $1 AND expires_at > clock_timestamp()`
const closeSession = 'DELETE FROM eventspine.console_session WHERE token_hash = $1'

interface KeyRow {
  readonly id: string
  readonly hash: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly tenant: string | null
  readonly created_ms: number
  readonly created_by: string
  readonly withdrawn_ms: number | null
  readonly withdrawn_by: string | null
  readonly withdrawn_reason: string | null
}

function keyOf(row: KeyRow): StoredKey {
  const { withdrawn_ms: atMs, withdrawn_by: by, withdrawn_reason: reason } = row
  const withdrawn = atMs === null || by === null || reason === null ? null : { atMs, by, reason }
  const { id, hash, name, scopes, tenant, created_ms: createdAtMs, created_by: createdBy } = row
  return { id, hash, name, scopes, tenant, createdAtMs, createdBy, withdrawn }
}

export function accessStatements(database: Database): AccessPort {
  return {
    storedKeys: async () => (await database.query<KeyRow>('read', 'access.keys', listKeys, [])).map(keyOf),

    storeKey: ({ id, hash, name, scopes, tenant }, { actor, action, target, details }) =>
      database.transaction('read', async ({ query }) => {
        await query('access.lock', lockKeys)
        const values = [id, hash, name, scopes, tenant, actor]
        if ((await query('access.store', insertKey, values)).length === 0) return false
        await query('access.audit', insertAudit, [actor, action, target, JSON.stringify(details)])
        return true
      }),

    withdrawKey: (id, actor, reason) =>
      database.transaction('read', async ({ query }) => {
        const [row] = await query<KeyRow>('access.withdraw', withdrawKey, [id, actor, reason])
        if (row === undefined) return null
        const { name, scopes, tenant } = row
        const details = JSON.stringify({ name, scopes, tenant, reason })
        await query('access.audit', insertAudit, [actor, 'key.withdraw', id, details])
        return keyOf(row)
      }),

    openSession: (tokenHash, { keyId, keyHash }, { lifeMs, sessionsMax }) =>
      database.transaction('read', async ({ query }) => {
        await query('access.sweep', sweepSessions, [keyId, sessionsMax])
        const values = [tokenHash, keyId, keyHash, lifeMs]
        const [row] = await query<{ expires_ms: number }>('access.open', insertSession, values)
        return row?.expires_ms ?? 0
      }),

    async session(tokenHash) {
      const rows = await database.query<StoredSession>('read', 'access.session', findSession, [tokenHash])
      return rows[0] ?? null
    },

    async closeSession(tokenHash) {
      await database.query('read', 'access.close', closeSession, [tokenHash])
    },
  }
}
