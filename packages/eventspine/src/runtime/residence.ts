// What of an app lives in which of its cells.
import type { Timetable } from '../schedule/index.js'
import { type AnyTableSource, isTable, type TablePlan } from '../source/index.js'
import type { App } from './app.js'
import type { ResolvedOptions } from './options.js'
import { unknownCell } from './publication.js'

type Placing = Pick<ResolvedOptions, 'placement' | 'tenant' | 'work' | 'cells' | 'hardLimitBytes'>

/** Schedules and reconcilers whose tenant lives there. Throws CELL_UNKNOWN for one that lives nowhere. */
export function timetablesOf(cell: string, app: App, options: Placing): readonly Timetable[] {
  const { placement, tenant, work, cells } = options
  if (!work) return [] // Who only looks may look at one cell of several.
  return app.timetables.filter((each) => {
    const home = placement(each.tenant ?? tenant)
    if (!cells.has(home)) throw unknownCell(home, [...cells.keys()])
    return home === cell
  })
}

/** Table sources: all but those whose one tenant lives elsewhere. */
export function tablePlansOf(cell: string, app: App, options: Placing): readonly TablePlan[] {
  const { placement, tenant, hardLimitBytes } = options
  const planOf = (source: AnyTableSource): TablePlan => {
    const { name, table, event, columns, redact, key, operations, through, notify } = source
    const column = typeof source.tenant === 'object' ? source.tenant.column : undefined
    const constant = typeof source.tenant === 'string' ? source.tenant : tenant
    return {
      ...{ source: name, app: app.name, table, type: event.type, columns, redact, key },
      ...{ operations, through, notify },
      ...{ tenant: { constant, column }, bytesMax: hardLimitBytes },
    }
  }
  const plans = app.sources.filter(isTable).map(planOf)
  return plans.filter(
    ({ tenant: { column, constant } }) => column !== undefined || placement(constant) === cell,
  )
}
