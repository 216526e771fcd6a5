// What the audit says of a redrive: itself, or what a person did by it.
import type { AuditRow } from '../inspect/port.js'
import type { RedrivePort } from '../redrive/port.js'

export function actOfRedrive(
  id: string,
  request: Parameters<RedrivePort['createRedrive']>[1],
  selected: number,
): Pick<AuditRow, 'action' | 'target' | 'details'> {
  const { actor: _, editedData, idempotencyKey, act, ...asked } = request
  if (act !== undefined) return { ...act, details: { ...act.details, redrive: id } }
  return {
    action: 'redrive.create',
    target: id,
    details: { ...asked, edited: editedData !== null, selected },
  }
}
