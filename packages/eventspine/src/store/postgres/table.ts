// Table sources in Postgres: their triggers or slots, made and removed by one at a time, and what stands there now.
import { EventspineError } from '../../kernel/index.js'
import type { ReplicationLag, TablePlan, TablePort, TableStanding } from '../../source/port.js'
import type { Database } from './database.js'
import { type Execute, hasCode, verbatim } from './exclusive.js'
import { catalogColumns } from './table-catalog.js'
import { dropSlot, lagsOf, makeSlot, nameSlot, requireReplication } from './table-slot.js'
import { removal, shapeComment, type TableSql, tableLock, tableSqlOf } from './table-sql.js'

/** Whoever waits for a table makes all behind it wait, too. */
const lockWaitMsMax = 3_000

const selectInstalled = (
  schema: string,
) => `SELECT s.name AS source, s.app, s.slot, p.prosrc AS body, obj_description(p.oid, 'pg_proc') AS comment,
  ARRAY(SELECT t.tgname::text FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid AND t.tgparentid = 0 ORDER BY t.tgname) AS triggers,
  EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid AND t.tgenabled NOT IN ('O', 'A')) AS disabled,
  (SELECT t.tgrelid::regclass::text FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid AND t.tgparentid = 0 LIMIT 1) AS "table"
FROM ${schema}.table_source s
LEFT JOIN pg_catalog.pg_proc p ON p.proname = 'table_' || translate(s.name, '-', '_') AND p.pronamespace = to_regnamespace('${schema}')
WHERE s.app = $1 OR s.name = ANY($2::text[])`

interface InstalledRow {
  readonly source: string
  readonly app: string
  readonly slot: string | null
  readonly body: string | null
  readonly comment: string | null
  readonly triggers: readonly string[]
  readonly disabled: boolean
  readonly table: string | null
}

export function tableStatements(database: Database): TablePort {
  const { schema } = database
  return {
    tableSql: (plan) =>
      verbatim(database, async (execute) => scriptOf(plan, await sqlOf(execute, plan, schema), schema)),

    async installTable(plan, actor) {
      const changed = await locked(database, plan.source, (execute) => install(execute, schema, plan, actor))
      if (changed && plan.through === 'replication') await makeSlot(database, plan.source)
      return changed
    },

    // The slot first: what is left behind by a crash in between is seen, and a slot alone would fill the disk unseen.
    async uninstallTable(source, actor) {
      await dropSlot(database, source)
      return await locked(database, source, (execute) => uninstall(execute, schema, source, actor))
    },

    tableStandings: (app, plans) =>
      verbatim(database, async (execute) => {
        const found = await installed(execute, schema, app, plans)
        const lags = await lagsOf(execute, schema)
        const standings: TableStanding[] = []
        for (const plan of plans) {
          const own = found.find(({ source }) => source === plan.source)
          standings.push(
            await standingOf(plan, () => sqlOf(execute, plan, schema), own, lags.get(plan.source) ?? null),
          )
        }
        const abandoned = found.filter(({ source }) => plans.every((plan) => plan.source !== source))
        return [
          ...standings,
          ...abandoned.map(({ source, table }) => ({
            ...{ source, table, state: 'abandoned' as const, reason: null },
            lag: lags.get(source) ?? null,
          })),
        ]
      }),
  }
}

async function sqlOf(execute: Execute, plan: TablePlan, schema: string): Promise<TableSql> {
  const columns = await catalogColumns(execute, plan, schema)
  if (plan.through === 'replication') await requireReplication(execute, plan, columns)
  return tableSqlOf(plan, columns, schema)
}

async function install(execute: Execute, schema: string, plan: TablePlan, actor: string): Promise<boolean> {
  const { source, app, through } = plan
  const wanted = await sqlOf(execute, plan, schema)
  const found = (await installed(execute, schema, app, [plan])).find((each) => each.source === source)
  requireOwn(plan, found)
  const lag = (await lagsOf(execute, schema)).get(source) ?? null
  if (stateOf(plan, wanted, found, lag) === 'installed') return false
  if (found?.slot && through === 'trigger')
    throw new EventspineError(
      'REQUEST_INVALID',
      `Source "${source}" comes through replication so far. Its slot would stay behind: eventspine sources uninstall ${source}, then install it.`,
      { field: '/source' },
    )
  for (const statement of wanted.statements) await execute('table.install', statement)
  if (through === 'replication') await nameSlot(execute, schema, source)
  await audit(execute, schema, actor, 'source.install', source, { app, through, shape: wanted.shape })
  return true
}

async function uninstall(execute: Execute, schema: string, source: string, actor: string): Promise<boolean> {
  const text = `DELETE FROM ${schema}.table_source WHERE name = $1 RETURNING name`
  if ((await execute('table.forget', text, [source])).length === 0) return false
  for (const statement of removal(source, schema)) await execute('table.drop', statement)
  await audit(execute, schema, actor, 'source.uninstall', source, {})
  return true
}

/** `work` in one transaction, alone at the triggers of this log, and never long at a table that others hold. */
async function locked<Result>(
  database: Database,
  source: string,
  work: (execute: Execute) => Promise<Result>,
): Promise<Result> {
  try {
    return await verbatim(database, async (execute) => {
      await execute('table.lock', `SET LOCAL lock_timeout = ${lockWaitMsMax}; ${tableLock(database.schema)}`)
      return await work(execute)
    })
  } catch (error) {
    if (hasCode(error, 'lock_not_available'))
      throw new EventspineError(
        'OVERLOADED',
        `The table of source "${source}" was in use for ${lockWaitMsMax / 1_000} s: a long transaction holds it, and nothing was changed. Try again.`,
        { cause: error, retryAfterMs: lockWaitMsMax },
      )
    if (hasCode(error, 'insufficient_privilege'))
      throw new EventspineError(
        'REQUEST_INVALID',
        `The role of this connection may not change the triggers of source "${source}" (${error instanceof Error ? error.message : error}). GRANT TRIGGER on its table, or have a role that may run what \`eventspine sources table-sql ${source}\` prints.`,
        { cause: error, field: '/source' },
      )
    throw error
  }
}

const installed = (execute: Execute, schema: string, app: string, plans: readonly TablePlan[]) =>
  execute<InstalledRow>('table.installed', selectInstalled(schema), [app, plans.map(({ source }) => source)])

function requireOwn({ source, app }: TablePlan, found: InstalledRow | undefined): void {
  if (found === undefined || found.app === app) return
  throw new EventspineError(
    'REQUEST_INVALID',
    `App "${found.app}" has a source "${source}" in this log. Give the one of "${app}" another name, or uninstall the other: eventspine sources uninstall ${source}`,
    { field: '/source' },
  )
}

function stateOf(
  plan: TablePlan,
  wanted: TableSql,
  found: InstalledRow | undefined,
  lag: ReplicationLag | null,
): TableStanding['state'] {
  const replicated = plan.through === 'replication'
  if (found === undefined || found.body === null) return 'absent'
  const same =
    found.comment === shapeComment(plan, wanted.shape) &&
    found.body === wanted.functionBody &&
    found.triggers.join() === [...wanted.triggers].sort().join()
  if (replicated)
    return !same ? 'different' : lag === null ? 'absent' : lag.walStatus === 'lost' ? 'lost' : 'installed'
  if (found.triggers.length === 0) return 'absent'
  return !same ? 'different' : found.disabled ? 'disabled' : 'installed'
}

async function standingOf(
  plan: TablePlan,
  sql: () => Promise<TableSql>,
  found: InstalledRow | undefined,
  lag: ReplicationLag | null,
): Promise<TableStanding> {
  const place = { source: plan.source, table: `${plan.table.schema}.${plan.table.table}`, lag }
  try {
    return { ...place, state: stateOf(plan, await sql(), found, lag), reason: null }
  } catch (error) {
    if (!(error instanceof EventspineError) || error.code !== 'REQUEST_INVALID') throw error
    return { ...place, state: 'impossible', reason: error.message }
  }
}

async function audit(
  execute: Execute,
  schema: string,
  actor: string,
  action: string,
  source: string,
  details: object,
): Promise<void> {
  await execute(
    'table.audit',
    `INSERT INTO ${schema}.audit (actor, action, target, details) VALUES ($1, $2, $3, $4::json)`,
    [...[actor, action, source, JSON.stringify(details)]],
  )
}

/** For a person to read and run. The slot is not in it: it cannot be made in a transaction that writes. */
const scriptOf = ({ source, app }: TablePlan, { statements }: TableSql, schema: string): string =>
  [
    `-- Source ${source} of app ${app}: made by eventspine sources table-sql ${source}. Safe to run again.`,
    ...['BEGIN;', `SET LOCAL lock_timeout = ${lockWaitMsMax};`, `${tableLock(schema)};`],
    ...statements.map((statement) => `${statement};`),
    'COMMIT;',
  ].join('\n\n')
