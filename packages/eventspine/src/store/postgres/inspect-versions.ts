// Which versions instances still run on. A million may be asleep: the oldest and the newest of each workflow are looked at.
import { type InspectPort, type OpenVersion, openVersionsMax } from '../../inspect/port.js'
import type { Database } from './database.js'
import { bounded } from './inspect-page.js'

const part = (order: 'ASC' | 'DESC') => `(SELECT w.number, w.version FROM eventspine.workflow w
    WHERE w.name = asked.name AND w.ended_at IS NULL ORDER BY w.number ${order} LIMIT ${openVersionsMax})`

const selectVersions = `SELECT asked.name AS workflow, o.version, count(*)::int AS instances
FROM unnest($1::text[]) AS asked(name) CROSS JOIN LATERAL (${part('ASC')} UNION ${part('DESC')}) o
GROUP BY asked.name, o.version ORDER BY asked.name, o.version`

export function versionInspection(database: Database): Pick<InspectPort, 'openVersions'> {
  return {
    openVersions: (workflows) =>
      bounded(database, (connection) =>
        connection.query<OpenVersion>('inspect.open-versions', selectVersions, [workflows]),
      ),
  }
}
