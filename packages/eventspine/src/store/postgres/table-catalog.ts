// What the catalog says of a table whose changes become events, and whether they can.

import { EventspineError } from '../../kernel/index.js'
import type { TablePlan } from '../../source/port.js'
import type { Execute } from './exclusive.js'

/** How a value of a column becomes JSON. `plain`: as JSON has it. `text`: as Postgres writes it, by a cast. `foreign`: the
 *  same, of a type that is not Postgres's own. */
export type ValueForm = 'plain' | 'text' | 'padded' | 'money' | 'bytes' | 'foreign'

export interface CatalogColumn {
  readonly name: string
  readonly form: ValueForm
  readonly array: boolean
  readonly generated: boolean
}

interface ColumnRow {
  readonly name: string
  /** Of the type below all domains; of an array that of its elements. */
  readonly type: number
  readonly array: boolean
  /** Empty, `s` for one that is stored, `v` for one that is computed when it is read. */
  readonly generated: string
}

interface TableRow {
  readonly kind: string
  readonly persistence: string
}

/** Types from here on were made by somebody: a cast of theirs could run whatever they like. */
const firstForeign = 16_384

const selectTable = `SELECT c.relkind AS kind, c.relpersistence AS persistence
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`

// A domain is what it stands on, in an array, too. An array whose elements are not told apart by commas is a text.
const selectColumns = `WITH RECURSIVE based(type, base) AS (
  SELECT t.oid, t.oid FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'
  UNION ALL SELECT t.oid, based.base FROM pg_catalog.pg_type t JOIN based ON t.typbasetype = based.type WHERE t.typtype = 'd')
SELECT a.attname::text AS name, coalesce(element.base, own.base)::int8 AS type, element.base IS NOT NULL AS array, a.attgenerated::text AS generated
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN based own ON own.type = a.atttypid JOIN pg_catalog.pg_type t ON t.oid = own.base
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A' AND e.typarray = t.oid AND (e.typdelim = ',' OR e.oid < ${firstForeign})
LEFT JOIN based element ON element.type = e.oid
WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

// bool, int2, int4, float4, float8, date, timestamp, timestamptz
const plain: ReadonlySet<number> = new Set([16, 21, 23, 700, 701, 1082, 1114, 1184])
const forms: Readonly<Record<number, ValueForm>> = { 17: 'bytes', 790: 'money', 1042: 'padded' }

const formOf = (type: number): ValueForm =>
  type >= firstForeign ? 'foreign' : plain.has(type) ? 'plain' : (forms[type] ?? 'text')

const selectElsewhere = `SELECT n.nspname::text AS schema, c.relname::text AS "table" FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE lower(c.relname) = lower($1) AND c.relkind IN ('r', 'p') ORDER BY 1, 2 LIMIT 3`

/** Where there is one of nearly this name. Names are not folded: what SQL calls Orders the catalog calls orders. */
async function elsewhere(execute: Execute, { table }: TablePlan['table']): Promise<string> {
  const rows = await execute<{ schema: string; table: string }>('table.elsewhere', selectElsewhere, [table])
  const names = rows.map((row) => `${row.schema}.${row.table}`)
  return names.length === 0 ? '' : `; there is ${names.join(', ')}`
}

const wrongKinds: Readonly<Record<string, string>> = {
  v: 'is a view: name the table that is written',
  m: 'is a materialized view: name the table that is written',
  f: 'is a foreign table: what is written elsewhere fires no trigger here',
}

/** Its columns by name. Throws REQUEST_INVALID where its changes cannot become events. */
export async function catalogColumns(
  execute: Execute,
  { source, table: place, columns, redact, tenant }: TablePlan,
  schema: string,
): Promise<ReadonlyMap<string, CatalogColumn>> {
  const names = [place.schema, place.table]
  const fault = (message: string) =>
    new EventspineError('REQUEST_INVALID', `Source "${source}": ${place.schema}.${place.table} ${message}.`, {
      field: '/source',
    })
  const [table] = await execute<TableRow>('table.find', selectTable, names)
  if (table === undefined) throw fault(`is no table of this database${await elsewhere(execute, place)}`)
  if (table.kind !== 'r' && table.kind !== 'p') throw fault(wrongKinds[table.kind] ?? 'is no table')
  if (table.persistence === 't') throw fault('is temporary')
  if (table.persistence === 'u')
    throw fault('is unlogged: a crash empties it, and nobody is told. ALTER TABLE … SET LOGGED')
  if (place.schema === schema)
    throw fault(
      'lies in the schema of the event log itself. Tables of your own belong elsewhere: CREATE TABLE public.… (a role that is called like a schema makes there what names none)',
    )
  const rows = await execute<ColumnRow>('table.columns', selectColumns, names)
  const known = new Map(rows.map((row) => [row.name, row]))
  const wanted = [...columns, ...Object.keys(redact), ...(tenant.column === undefined ? [] : [tenant.column])]
  const missing = wanted.filter((column) => !known.has(column))
  if (missing.length > 0)
    throw fault(
      `has no column ${missing.map((each) => `"${each}"`).join(', ')}. It has ${[...known.keys()].join(', ')}`,
    )
  const virtual = wanted.find((column) => known.get(column)?.generated === 'v')
  if (virtual !== undefined)
    throw fault(
      `computes "${virtual}" when it is read; triggers do not see it. Make it STORED, or leave it out`,
    )
  return new Map(
    rows.map(({ name, type, array, generated }) => [
      name,
      { name, form: formOf(Number(type)), array, generated: generated !== '' },
    ]),
  )
}
