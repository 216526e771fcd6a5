// Table sources in memory: a memory holds events and no tables of users, so that nothing can be installed.

import { EventspineError } from '../../kernel/index.js'
import type { ReplicationPort, TablePlan, TablePort } from '../../source/port.js'

const reasonOf = ({ source, table }: TablePlan) =>
  `Source "${source}": ${table.schema}.${table.table} is no table of this database: it is kept in memory.`

export function tablePort(): TablePort & ReplicationPort {
  const refuse = async (plan: TablePlan): Promise<never> => {
    throw new EventspineError('REQUEST_INVALID', reasonOf(plan), { field: '/source' })
  }
  return {
    tableSql: refuse,
    installTable: refuse,
    readReplication: async () => null,
    releaseReplication: async () => {},
    uninstallTable: async () => false,
    tableStandings: async (_app, plans) =>
      plans.map((plan) => ({
        ...{ source: plan.source, table: `${plan.table.schema}.${plan.table.table}` },
        ...{ state: 'impossible' as const, reason: reasonOf(plan), lag: null },
      })),
  }
}
