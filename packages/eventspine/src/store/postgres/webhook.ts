// Endpoints of webhooks: those that fail or are disabled, by the database's clock. What is disabled is said in the log in the
// same transaction.
import type { Disabled, EndpointName, EndpointStanding, WebhookPort } from '../../webhook/port.js'
import { appendOwn } from './append-own.js'
import { insertAudit } from './audit.js'
import type { Connection, Database } from './database.js'

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`
const columns = `webhooks, tenant, endpoint, ${ms('failing_since')} AS "failingSinceMs", failures::float8 AS failures,
  ${ms('last_failed_at')} AS "lastFailedAtMs", last_error AS "lastError", ${ms('disabled_at')} AS "disabledAtMs", cause, disabled_by AS by, reason`

const named = 'webhooks = $1 AND tenant = $2 AND endpoint = $3'
const find = `SELECT ${columns} FROM eventspine.webhook_endpoint WHERE ${named}`

const succeeded = `DELETE FROM eventspine.webhook_endpoint WHERE ${named} AND disabled_at IS NULL`

// A row that is disabled is left as it is, and not answered: whoever reads it then sees why.
const failed = `INSERT INTO eventspine.webhook_endpoint AS e
  (webhooks, tenant, endpoint, failing_since, failures, last_failed_at, last_error, disabled_at, cause, disabled_by)
SELECT $1, $2, $3, clock_timestamp(), 1, clock_timestamp(), $4, CASE WHEN $5 THEN clock_timestamp() END, CASE WHEN $5 THEN 'gone' END, CASE WHEN $5 THEN 'eventspine' END
ON CONFLICT (webhooks, tenant, endpoint) DO UPDATE SET (failing_since, failures, last_failed_at, last_error, disabled_at, cause, disabled_by) = (
  SELECT coalesce(e.failing_since, clock_timestamp()), e.failures + 1, clock_timestamp(), excluded.last_error,
    CASE WHEN due.cause IS NOT NULL THEN clock_timestamp() END, due.cause, CASE WHEN due.cause IS NOT NULL THEN 'eventspine' END
  FROM (SELECT CASE WHEN $5 THEN 'gone'
    WHEN e.failing_since <= clock_timestamp() - $6::float8 * interval '1 millisecond' THEN 'failing' END AS cause) AS due)
WHERE e.disabled_at IS NULL
RETURNING ${columns}`

const disable = `INSERT INTO eventspine.webhook_endpoint AS e (webhooks, tenant, endpoint, disabled_at, cause, disabled_by, reason)
VALUES ($1, $2, $3, clock_timestamp(), 'person', $4, $5)
ON CONFLICT (webhooks, tenant, endpoint) DO UPDATE SET
  disabled_at = excluded.disabled_at, cause = excluded.cause, disabled_by = excluded.disabled_by, reason = excluded.reason
WHERE e.disabled_at IS NULL
RETURNING ${columns}`

const enable = `DELETE FROM eventspine.webhook_endpoint WHERE ${named} AND disabled_at IS NOT NULL RETURNING ${columns}`

const list = `SELECT ${columns} FROM eventspine.webhook_endpoint
WHERE ($1::text IS NULL OR webhooks = $1) AND ($2::text IS NULL OR tenant = $2)
  AND ($3::text IS NULL OR (disabled_at IS NULL) = ($3 = 'failing'))
ORDER BY disabled_at IS NULL, webhooks COLLATE "C", tenant COLLATE "C", endpoint COLLATE "C" LIMIT $4`

interface Row extends Omit<EndpointStanding, 'disabled'> {
  readonly disabledAtMs: number | null
  readonly cause: Disabled['cause'] | null
  readonly by: string | null
  readonly reason: string | null
}

export function webhookStatements(database: Database): WebhookPort {
  return {
    async webhookEndpoint(name) {
      const [row] = await database.query<Row>('deliver', 'webhook.find', find, valuesOf(name))
      return row === undefined ? null : standingOf(row)
    },

    async webhookSucceeded(name) {
      await database.query('deliver', 'webhook.succeeded', succeeded, valuesOf(name))
    },

    webhookFailed: (name, { error, gone, failingMsMax }, notice) =>
      database.transaction('deliver', async ({ query }) => {
        const values = [...valuesOf(name), error, gone, failingMsMax]
        const [row] = await query<Row>('webhook.failed', failed, values)
        if (row === undefined) return await known(query, name)
        const standing = standingOf(row)
        if (standing.disabled !== null) await appendOwn(query, [notice(standing)])
        return standing
      }),

    disableWebhookEndpoint: (name, actor, reason, notice) =>
      database.transaction('read', async ({ query }) => {
        const [row] = await query<Row>('webhook.disable', disable, [...valuesOf(name), actor, reason])
        if (row === undefined) return false
        await audit(query, actor, 'webhook.disable', {
          ...name,
          before: 'enabled',
          after: 'disabled',
          reason,
        })
        await appendOwn(query, [notice(standingOf(row))])
        return true
      }),

    enableWebhookEndpoint: (name, actor, reason) =>
      database.transaction('read', async ({ query }) => {
        const [row] = await query<Row>('webhook.enable', enable, valuesOf(name))
        if (row === undefined) return false
        const { disabled } = standingOf(row)
        const change = { before: 'disabled', after: 'enabled', disabled, reason }
        await audit(query, actor, 'webhook.enable', { ...name, ...change })
        return true
      }),

    async webhookEndpoints({ webhooks, tenant, state }, endpointsMax) {
      const values = [webhooks ?? null, tenant ?? null, state ?? null, endpointsMax]
      return (await database.query<Row>('read', 'webhook.list', list, values)).map(standingOf)
    },
  }
}

// Whoever enabled it in between is told by the next failure.
async function known(query: Connection['query'], name: EndpointName): Promise<EndpointStanding> {
  const [row] = await query<Row>('webhook.find', find, valuesOf(name))
  const none = { failingSinceMs: null, failures: 0, lastFailedAtMs: null, lastError: null, disabled: null }
  return row === undefined ? { ...name, ...none } : standingOf(row)
}

async function audit(
  query: Connection['query'],
  actor: string,
  action: string,
  details: EndpointName & Readonly<Record<string, unknown>>,
): Promise<void> {
  await query('webhook.audit', insertAudit, [actor, action, details.endpoint, JSON.stringify(details)])
}

const valuesOf = ({ webhooks, tenant, endpoint }: EndpointName) => [webhooks, tenant, endpoint]

function standingOf({ disabledAtMs, cause, by, reason, ...row }: Row): EndpointStanding {
  const disabled =
    disabledAtMs === null || cause === null || by === null ? null : { atMs: disabledAtMs, cause, by, reason }
  return { ...row, disabled }
}
