// Ending an instance from outside: under no lease, and only where it stands as it was seen. Whoever runs it finds other
// entries than it knows, and lets go.

import type { WorkflowPort } from '../../workflow/port.js'
import { appendOwn } from './append-own.js'
import { insertAudit } from './audit.js'
import type { Database } from './database.js'

const end = `WITH ended AS (
  UPDATE eventspine.workflow SET state = $5, entries = entries + 1, wake_at = NULL, deadline_at = NULL,
    changed_at = clock_timestamp(), ended_at = clock_timestamp()
  WHERE tenant = $1 AND name = $2 AND id = $3 AND entries = $4 AND ended_at IS NULL
  RETURNING number
), forgotten AS (
  DELETE FROM eventspine.workflow_awaited x USING ended WHERE x.number = ended.number
)
INSERT INTO eventspine.workflow_entry (number, position, kind, place, name, data, at, token)
SELECT number, $4, 'ended', '', '', $6::json, clock_timestamp(), 0 FROM ended
RETURNING number`

export function endStatements(database: Database): Pick<WorkflowPort, 'endWorkflow'> {
  return {
    async endWorkflow({ tenant, workflow, id }, entries, { state, data }, published, act) {
      return await database.transaction('workflow', async ({ query }) => {
        const rows = await query('workflow.terminate', end, [tenant, workflow, id, entries, state, data])
        if (rows.length === 0) return false
        if (published.length > 0) await appendOwn(query, published)
        const { actor, action, target, details } = act
        await query('workflow.audit', insertAudit, [actor, action, target, JSON.stringify(details)])
        return true
      })
    },
  }
}
