// What is asked of workflows from outside, checked before anything is stored.
import { EventspineError } from '../kernel/index.js'
import { type WorkflowQuery, workflowStates } from '../workflow/index.js'

/** Of an id that is given here. Those of events and of children may be as long as a key. */
const idMax = 160
export const keyMax = 500
export const nameMax = 200
export const tenantMax = 100
const reasonMax = 1_000
const limitMax = 500
const versionMax = 1_000_000
const states: readonly unknown[] = [
  ...[undefined, 'open', 'needs-attention', 'awaiting-approval'],
  ...workflowStates,
]

export function checked(what: string, value: unknown, max: number): string {
  if (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= max &&
    value.isWellFormed() &&
    !/[\u0000-\u001f\u007f]/.test(value)
  )
    return value
  throw refused(`/${what}`, `"${what}" must be a text of 1 to ${max} characters without control characters`)
}

/** An id that is chosen here: it is a part of addresses, where `.` and `..` are none. */
export function checkedId(what: string, value: unknown): string {
  const id = checked(what, value, idMax)
  if (id === '.' || id === '..')
    throw refused(`/${what}`, `"${what}" must not be "${id}": it is a part of addresses`)
  return id
}

export const reasonOf = (reason: string | undefined) =>
  reason === undefined ? null : checked('reason', reason, reasonMax)

export function checkQuery(query: WorkflowQuery): void {
  const { tenant, state, cursor, limit, id, version } = query
  if (tenant !== undefined) checked('tenant', tenant, tenantMax)
  if (!states.includes(state))
    throw refused('/state', `"state" is ${String(state)}; there are ${states.slice(1).join(', ')}`)
  if (id !== undefined) checked('id', id, keyMax)
  if (version !== undefined && !(Number.isInteger(version) && version >= 1 && version <= versionMax))
    throw refused(
      '/version',
      `"version" is ${String(version)}; write a whole number from 1 to ${versionMax.toLocaleString('en')}`,
    )
  for (const moment of ['startedAfter', 'startedBefore'] as const) {
    const value: unknown = query[moment]
    if (value !== undefined && !(value instanceof Date && !Number.isNaN(value.getTime())))
      throw refused(`/${moment}`, `"${moment}" must be a Date`)
  }
  if (cursor !== undefined && !/^\d{1,18}$/.test(cursor))
    throw refused('/cursor', '"cursor" is not of this list. Use the one of the page before')
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= limitMax))
    throw refused('/limit', `"limit" is ${String(limit)}; write a whole number from 1 to ${limitMax}`)
}

export const refused = (field: string, message: string) =>
  new EventspineError('REQUEST_INVALID', `${message}.`, { field })
