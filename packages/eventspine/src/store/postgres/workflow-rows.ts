// Rows of instances as the engine knows them.
import type { Instance, Parent } from '../../workflow/port.js'

export const instanceColumns = (table: string) =>
  `${table}.number, ${table}.tenant, ${table}.name, ${table}.id, ${table}.version, ${table}.state, ${table}.entries, ${table}.parent,
  ${['started', 'changed', 'ended', 'wake', 'deadline']
    .map((each) => `(extract(epoch FROM ${table}.${each}_at) * 1000)::float8 AS ${each}_ms`)
    .join(', ')}`

export interface InstanceRow {
  readonly number: number
  readonly tenant: string
  readonly name: string
  readonly id: string
  readonly version: number
  readonly state: Instance['state']
  readonly entries: number
  readonly parent: string | null
  readonly started_ms: number
  readonly changed_ms: number
  readonly ended_ms: number | null
  readonly wake_ms: number | null
  readonly deadline_ms: number | null
}

export const instanceOf = (row: InstanceRow): Instance => ({
  tenant: row.tenant,
  workflow: row.name,
  id: row.id,
  version: row.version,
  state: row.state,
  entries: row.entries,
  parent: row.parent === null ? null : (JSON.parse(row.parent) as Parent),
  startedAtMs: row.started_ms,
  changedAtMs: row.changed_ms,
  endedAtMs: row.ended_ms,
  wakeAtMs: row.wake_ms,
  deadlineAtMs: row.deadline_ms,
})
