// Imports: the place in the file moves on in the transaction of the events.
import type { AppendOutcome } from '../../append/port.js'
import type { ImportPort, ImportStanding } from '../../source/port.js'
import { appendBy } from './append.js'
import type { Database } from './database.js'

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`
const columns = `id, source, file, size_bytes::float8 AS "sizeBytes", state, offset_bytes::float8 AS "offsetBytes", lines::float8 AS lines,
  records::float8 AS records, published::float8 AS published, known::float8 AS known, kept::float8 AS kept,
  ${ms('started_at')} AS "startedAtMs", ${ms('ended_at')} AS "endedAtMs"`

const begin = `INSERT INTO eventspine.file_import (id, source, file, size_bytes) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`
const find = `SELECT ${columns} FROM eventspine.file_import WHERE id = $1`
const list = `SELECT ${columns} FROM eventspine.file_import ORDER BY started_at DESC LIMIT 100`
const advance = `UPDATE eventspine.file_import SET offset_bytes = $3, lines = $4, records = $5, published = $6, known = $7, kept = $8,
  state = CASE WHEN $9 THEN 'completed' ELSE state END, ended_at = CASE WHEN $9 THEN clock_timestamp() END
WHERE id = $1 AND offset_bytes = $2 AND state = 'running' RETURNING id`

const tell = `UPDATE eventspine.file_import SET published = published - $2, known = known + $2 WHERE id = $1`

const rollback = new Error('conflict')

export function importStatements(database: Database, windowMs: number): ImportPort {
  return {
    async openImport({ id, source, file, sizeBytes }) {
      await database.query('read', 'import.begin', begin, [id, source, file, sizeBytes])
      const [standing] = await database.query<ImportStanding>('read', 'import.find', find, [id])
      return standing as ImportStanding
    },

    async advanceImport(id, fromBytes, progress, events) {
      const { offsetBytes, lines, records, published, known, kept, completed } = progress
      const place = [id, fromBytes, offsetBytes, lines, records, published, known, kept, completed]
      let outcomes: readonly AppendOutcome[] | null = null
      await database
        .transaction('append', async ({ query }) => {
          outcomes = null
          if ((await query('import.advance', advance, place)).length === 0) return
          outcomes = events.length === 0 ? [] : await appendBy(query, events, windowMs)
          if (outcomes.includes('conflict')) throw rollback
          const duplicates = outcomes.filter((outcome) => outcome === 'duplicate').length
          if (duplicates > 0) await query('import.known', tell, [id, duplicates])
        })
        .catch((error: unknown) => {
          if (error !== rollback) throw error
        })
      return outcomes
    },

    imports: () => database.query<ImportStanding>('read', 'import.list', list),
  }
}
