// Table sources in Postgres: their triggers, made and removed by one at a time, and what stands there now.

import { EventspineError } from '../../kernel/index.js'
import type { TablePlan, TablePort, TableStanding } from '../../source/port.js'
import type { Database } from './database.js'
import { type Execute, hasCode, verbatim } from './exclusive.js'
import { catalogColumns } from './table-catalog.js'
import { functionNameOf, shapeComment, type TableSql, tableLock, tableSqlOf } from './table-sql.js'

/** Whoever waits for a table makes all behind it wait, too. */
const lockWaitMsMax = 3_000

const selectInstalled = (
  schema: string,
) => `SELECT s.name AS source, s.app, p.prosrc AS body, obj_description(p.oid, 'pg_proc') AS comment,
  ARRAY(SELECT t.tgname::text FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid AND t.tgparentid = 0 ORDER BY t.tgname) AS triggers,
  EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid AND t.tgenabled NOT IN ('O', 'A')) AS disabled,
  (SELECT t.tgrelid::regclass::text FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid AND t.tgparentid = 0 LIMIT 1) AS "table"
FROM ${schema}.table_source s
LEFT JOIN pg_catalog.pg_proc p ON p.proname = 'table_' || translate(s.name, '-', '_') AND p.pronamespace = to_regnamespace('${schema}')
WHERE s.app = $1 OR s.name = ANY($2::text[])`

interface InstalledRow {
  readonly source: string
  readonly app: string
  readonly body: string | null
  readonly comment: string | null
  readonly triggers: readonly string[]
  readonly disabled: boolean
  readonly table: string | null
}

export function tableStatements(database: Database): TablePort {
  const { schema } = database
  const sqlOf = async (execute: Execute, plan: TablePlan) =>
    tableSqlOf(plan, await catalogColumns(execute, plan, schema), schema)

  return {
    tableSql: (plan) =>
      verbatim(database, async (execute) => scriptOf(plan, await sqlOf(execute, plan), schema)),

    installTable: (plan, actor) =>
      locked(database, plan.source, async (execute) => {
        const wanted = await sqlOf(execute, plan)
        const found = (await installed(execute, schema, plan.app, [plan])).find(
          ({ source }) => source === plan.source,
        )
        requireOwn(plan, found)
        if (stateOf(plan, wanted, found) === 'installed') return false
        for (const statement of wanted.statements) await execute('table.install', statement)
        await audit(execute, schema, actor, 'source.install', plan.source, {
          app: plan.app,
          shape: wanted.shape,
        })
        return true
      }),

    uninstallTable: (source, actor) =>
      locked(database, source, async (execute) => {
        const gone = await execute(
          'table.forget',
          `DELETE FROM ${schema}.table_source WHERE name = $1 RETURNING name`,
          [source],
        )
        if (gone.length === 0) return false
        await execute('table.drop', `DROP FUNCTION IF EXISTS ${schema}.${functionNameOf(source)}() CASCADE`)
        await audit(execute, schema, actor, 'source.uninstall', source, {})
        return true
      }),

    tableStandings: (app, plans) =>
      verbatim(database, async (execute) => {
        const found = await installed(execute, schema, app, plans)
        const standings: TableStanding[] = []
        for (const plan of plans)
          standings.push(
            await standingOf(
              plan,
              () => sqlOf(execute, plan),
              found.find(({ source }) => source === plan.source),
            ),
          )
        const abandoned = found.filter(({ source }) => plans.every((plan) => plan.source !== source))
        return [
          ...standings,
          ...abandoned.map(({ source, table }) => ({
            source,
            table,
            state: 'abandoned' as const,
            reason: null,
          })),
        ]
      }),
  }
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

function stateOf(plan: TablePlan, wanted: TableSql, found: InstalledRow | undefined): TableStanding['state'] {
  if (found === undefined || found.body === null || found.triggers.length === 0) return 'absent'
  const same =
    found.comment === shapeComment(plan, wanted.shape) &&
    found.body === wanted.functionBody &&
    found.triggers.join() === [...wanted.triggers].sort().join()
  if (!same) return 'different'
  return found.disabled ? 'disabled' : 'installed'
}

async function standingOf(
  plan: TablePlan,
  sqlOf: () => Promise<TableSql>,
  found: InstalledRow | undefined,
): Promise<TableStanding> {
  const place = { source: plan.source, table: `${plan.table.schema}.${plan.table.table}` }
  try {
    return { ...place, state: stateOf(plan, await sqlOf(), found), reason: null }
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

/** For a person to read and run. */
const scriptOf = ({ source, app }: TablePlan, { statements }: TableSql, schema: string): string =>
  [
    `-- Source ${source} of app ${app}: made by eventspine sources table-sql ${source}. Safe to run again.`,
    ...['BEGIN;', `SET LOCAL lock_timeout = ${lockWaitMsMax};`, `${tableLock(schema)};`],
    ...statements.map((statement) => `${statement};`),
    'COMMIT;',
  ].join('\n\n')
