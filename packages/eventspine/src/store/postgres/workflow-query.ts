// What people ask about workflows. Whether an instance waits for a person is no state of its own: it is what its dead
// letter says, or the question that it asks.
import { deliveryId } from '../../event/stored.js'
import type {
  Attention,
  InstanceView,
  Retry,
  Standing,
  WorkflowEnd,
  WorkflowPort,
  WorkflowQuery,
} from '../../workflow/port.js'
import { awaitedApproval } from '../awaited-approval.js'
import type { Database } from './database.js'
import { type InstanceRow, instanceColumns, instanceOf } from './workflow-rows.js'

const limitDefault = 50
const limitMax = 500

// As long as redrives are kept, which end with their letters.
const retry = 'LEFT JOIN eventspine.redrive v ON v.id = a.redrive'

const attention = `LEFT JOIN LATERAL (
  SELECT l.subscription, l.epoch, l.seq, l.failure, (extract(epoch FROM l.died_at) * 1000)::float8 AS died_ms, l.round, l.state, l.redrive
  FROM eventspine.dead_letter l
  WHERE l.subscription = 'workflow-' || w.name AND l.key = w.id AND l.tenant = w.tenant AND l.halts AND l.state IN ('dead', 'redriving')
  ORDER BY l.died_at LIMIT 1) a ON true ${retry}`

// From the letters and not from the instances: they are few, and a million may be asleep.
const inNeed = `(SELECT DISTINCT ON (l.subscription, l.tenant, l.key) l.subscription, l.tenant, l.key, l.epoch, l.seq, l.failure,
    (extract(epoch FROM l.died_at) * 1000)::float8 AS died_ms, l.round, l.state, l.redrive
  FROM eventspine.dead_letter l
  WHERE l.subscription LIKE 'workflow-%' AND l.halts AND l.state IN ('dead', 'redriving')
    AND ($1::text IS NULL OR l.tenant = $1) AND ($2::text IS NULL OR l.subscription = 'workflow-' || $2)
  ORDER BY l.subscription, l.tenant, l.key, l.died_at) a
JOIN eventspine.workflow w ON w.tenant = a.tenant AND w.name = substr(a.subscription, length('workflow-') + 1) AND w.id = a.key ${retry}`

// The question that stands longest, and what the history says of it.
const approval = `LEFT JOIN LATERAL (
  SELECT x.place, x.asked, (extract(epoch FROM x.due_at) * 1000)::float8 AS due_ms, (count(*) OVER ())::int AS open
  FROM eventspine.workflow_awaited x WHERE x.number = w.number AND x.asked IS NOT NULL AND w.ended_at IS NULL
  ORDER BY x.asked LIMIT 1) q ON true
LEFT JOIN LATERAL (
  SELECT e.name, e.data, (extract(epoch FROM e.at) * 1000)::float8 AS asked_ms
  FROM eventspine.workflow_entry e WHERE e.number = w.number AND e.position = q.asked OFFSET 0) r ON true`

// From the questions, for the same reason; newest first by their index, so that a page ends where it is full.
const asking = `(SELECT DISTINCT x.number FROM eventspine.workflow_awaited x
    WHERE x.asked IS NOT NULL AND ($3::bigint IS NULL OR x.number < $3) ORDER BY x.number DESC) y
CROSS JOIN LATERAL (SELECT * FROM eventspine.workflow o WHERE o.number = y.number OFFSET 0) w
${attention}`

const columns = `${instanceColumns('w')}, q.place AS question, q.due_ms, q.open, r.name AS asked_name, r.data AS asked_data, r.asked_ms, a.subscription AS letter_subscription, a.epoch AS letter_epoch, a.seq AS letter_seq,
  a.failure AS letter_failure, a.died_ms, a.round AS letter_round, a.state AS letter_state, v.id AS retry, v.actor AS retried_by, (extract(epoch FROM v.created_at) * 1000)::float8 AS retried_ms`

// Signals that came too late stand behind it.
const end = `SELECT w.state, e.data FROM eventspine.workflow w
JOIN eventspine.workflow_entry e ON e.number = w.number AND e.kind = 'ended'
WHERE w.tenant = $1 AND w.name = $2 AND w.id = $3 AND w.ended_at IS NOT NULL`

interface ViewRow extends InstanceRow {
  readonly letter_subscription: string | null
  readonly letter_epoch: number
  readonly letter_seq: number
  readonly letter_failure: string
  readonly died_ms: number
  readonly letter_round: number
  readonly letter_state: 'dead' | 'redriving'
  readonly retry: string | null
  readonly retried_by: string
  readonly retried_ms: number
  readonly question: string | null
  readonly due_ms: number | null
  readonly open: number
  readonly asked_name: string | null
  readonly asked_data: string | null
  readonly asked_ms: number
}

function conditionOf(state: WorkflowQuery['state']): string {
  if (state === undefined) return ''
  if (state === 'open' || state === 'needs-attention' || state === 'awaiting-approval')
    return ' AND w.ended_at IS NULL'
  return ` AND w.state = '${state}'`
}

const attentionOf = (row: ViewRow): Attention | null =>
  row.letter_subscription === null
    ? null
    : {
        letter: deliveryId(row.letter_subscription, '', row.letter_epoch, row.letter_seq),
        message: (JSON.parse(row.letter_failure) as { readonly message: string }).message,
        diedAtMs: row.died_ms,
        retries: row.letter_round,
        retry: row.retry === null ? null : retryOf(row, row.retry),
      }

const retryOf = (row: ViewRow, redrive: string): Retry => ({
  ...{ redrive, state: row.letter_state === 'dead' ? 'failed' : 'running' },
  ...{ by: row.retried_by, atMs: row.retried_ms },
})

function standingOf(row: ViewRow): Standing {
  const { question, asked_name: name, due_ms: dueAtMs, open } = row
  const isAsked = question !== null && name !== null
  return {
    attention: attentionOf(row),
    approval: isAsked
      ? awaitedApproval(
          { place: question, dueAtMs, open },
          { name, data: row.asked_data, atMs: row.asked_ms },
        )
      : null,
  }
}

function sourceOf(state: WorkflowQuery['state']): string {
  if (state === 'needs-attention') return inNeed
  return state === 'awaiting-approval' ? asking : `eventspine.workflow w ${attention}`
}

export function workflowQueries(
  database: Database,
): Pick<WorkflowPort, 'workflows' | 'workflowEnd' | 'workflow'> {
  return {
    async workflows(query) {
      const {
        tenant,
        workflow,
        state,
        cursor,
        id,
        version,
        startedAfter,
        startedBefore,
        limit = limitDefault,
      } = query
      const rows = await database.query<ViewRow>(
        'read',
        `workflow.list-${state ?? 'any'}${id === undefined ? '' : '-of-id'}`,
        `SELECT ${columns} FROM ${sourceOf(state)} ${approval}
WHERE ($1::text IS NULL OR w.tenant = $1) AND ($2::text IS NULL OR w.name = $2) AND ($3::bigint IS NULL OR w.number < $3)${conditionOf(state)}
  AND ($5::int IS NULL OR w.version = $5) AND ($6::timestamptz IS NULL OR w.started_at >= $6) AND ($7::timestamptz IS NULL OR w.started_at < $7)
  AND ${id === undefined ? '$8::text IS NULL' : 'w.id = $8'}
ORDER BY ${state === 'awaiting-approval' ? 'y' : 'w'}.number DESC LIMIT $4`,
        [
          ...[tenant ?? null, workflow ?? null, cursor ?? null, Math.min(limit, limitMax)],
          ...[version ?? null, startedAfter ?? null, startedBefore ?? null, id ?? null],
        ],
      )
      const items = rows.map((row): InstanceView => ({ ...instanceOf(row), ...standingOf(row) }))
      const full = rows.length === Math.min(limit, limitMax)
      return { items, cursor: full ? String(rows.at(-1)?.number) : null }
    },

    async workflowEnd({ tenant, workflow, id }) {
      const [row] = await database.query<WorkflowEnd>('read', 'workflow.end', end, [tenant, workflow, id])
      return row ?? null
    },

    async workflow({ tenant, workflow, id }) {
      const [row] = await database.query<ViewRow>(
        'read',
        'workflow.show',
        `SELECT ${columns} FROM eventspine.workflow w ${attention} ${approval} WHERE w.tenant = $1 AND w.name = $2 AND w.id = $3`,
        [tenant, workflow, id],
      )
      if (row === undefined) return null
      const history = await database.query<{
        position: number
        kind: never
        place: string
        name: string
        data: string | null
        at_ms: number
      }>(
        'read',
        'workflow.history',
        `SELECT position, kind, place, name, data, (extract(epoch FROM at) * 1000)::float8 AS at_ms
FROM eventspine.workflow_entry WHERE number = $1 ORDER BY position`,
        [row.number],
      )
      return {
        instance: instanceOf(row),
        history: history.map(({ at_ms: atMs, ...entry }) => ({ ...entry, atMs })),
        ...standingOf(row),
      }
    },
  }
}
