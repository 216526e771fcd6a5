// The SQL that makes the triggers of a table source. What users named is quoted everywhere; what rows hold is only data.
import { createHash } from 'node:crypto'
import pg from 'pg'
import type { TablePlan } from '../../source/port.js'
import type { CatalogColumn, ValueForm } from './table-catalog.js'

export interface TableSql {
  readonly functionName: string
  readonly functionBody: string
  /** Their names, by operation. */
  readonly triggers: readonly string[]
  /** All of it, without the transaction around it. */
  readonly statements: readonly string[]
  /** A hash of the statements: what is installed is in this shape or in another. */
  readonly shape: string
}

const { escapeIdentifier: quoted, escapeLiteral: literal } = pg

/** Quotes that nothing inside of them can end. */
function dollarQuoted(text: string): string {
  let tag = 'body'
  while (text.includes(`$${tag}$`)) tag += '_'
  return `$${tag}$${text}$${tag}$`
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)

/** Two logs in one database may have sources of one name. */
const triggerPrefix = (schema: string) =>
  schema === 'eventspine' ? schema : `eventspine_${hashOf(schema).slice(0, 8)}`

export const functionNameOf = (source: string) => `table_${source.replaceAll('-', '_')}`

/** The lock under which triggers are made and removed. */
export const tableLock = (schema: string) =>
  `SELECT pg_advisory_xact_lock(hashtextextended(${literal(`${schema}.tables`)}, 0))`

export function tableSqlOf(
  plan: TablePlan,
  columns: ReadonlyMap<string, CatalogColumn>,
  schema: string,
): TableSql {
  const functionName = functionNameOf(plan.source)
  const own = `${schema}.${functionName}`
  const functionBody = bodyOf(plan, columns, schema)
  const table = `${quoted(plan.table.schema)}.${quoted(plan.table.table)}`
  const replicated = plan.through === 'replication'
  const triggers = replicated
    ? []
    : plan.operations.map((operation) => `${publicationOf(plan.source, schema)}_${operation}`)
  const made = [
    ...removal(plan.source, schema),
    `INSERT INTO ${schema}.table_source (name, app) VALUES (${literal(plan.source)}, ${literal(plan.app)}) ON CONFLICT (name) DO UPDATE SET installed_at = clock_timestamp()`,
    ...(replicated
      ? replicationOf(plan, own, functionBody, table, schema)
      : triggersOf(plan, own, functionBody, table, triggers)),
  ]
  const shape = hashOf(made.join(';'))
  // On the function: a comment on a trigger is only for the owner of the table.
  const comment = `COMMENT ON FUNCTION ${own} IS ${literal(shapeComment(plan, shape))}`
  return { functionName, functionBody, triggers, statements: [...made, comment], shape }
}

/** Triggers and publications are called so. */
export const publicationOf = (source: string, schema: string) =>
  `${triggerPrefix(schema)}_${source.replaceAll('-', '_')}`

/** CASCADE takes the triggers before along, on whatever table they are. */
export const removal = (source: string, schema: string): readonly string[] => [
  `DROP PUBLICATION IF EXISTS ${publicationOf(source, schema)}`,
  `DROP FUNCTION IF EXISTS ${schema}.${functionNameOf(source)} CASCADE`,
]

const triggersOf = (
  plan: TablePlan,
  own: string,
  body: string,
  table: string,
  triggers: readonly string[],
): readonly string[] => [
  `CREATE FUNCTION ${own}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  ${functionSettings}
  AS ${dollarQuoted(body)}`,
  `REVOKE ALL ON FUNCTION ${own} FROM PUBLIC`,
  ...plan.operations.map((operation, index) =>
    triggerOf(operation, triggers[index] as string, table, own, watched(plan)),
  ),
]

// With the rights of the worker that calls it.
const replicationOf = (
  plan: TablePlan,
  own: string,
  body: string,
  table: string,
  schema: string,
): readonly string[] => [
  `CREATE FUNCTION ${own}(operation text, old_row ${table}, new_row ${table}, happened_at timestamptz) RETURNS void LANGUAGE plpgsql
  ${functionSettings}
  AS ${dollarQuoted(body)}`,
  `CREATE PUBLICATION ${publicationOf(plan.source, schema)} FOR TABLE ${table}
  WITH (publish = ${literal(plan.operations.join(', '))}, publish_via_partition_root = true)`,
]

export const shapeComment = ({ source, app }: TablePlan, shape: string) =>
  `Source ${source} of app ${app}, shape ${shape}. Change it with: eventspine sources install ${source}`

// With what the values of a row are written: the same whatever the session has set. The empty temporary schema last:
// nothing of the session's can stand before what this names.
const functionSettings = `SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'iso_8601'
  SET extra_float_digits = 1 SET bytea_output = 'hex'`

/** Columns whose change is an event. */
const watched = ({ columns, redact, tenant }: TablePlan) => [
  ...new Set([...columns, ...Object.keys(redact), ...(tenant.column === undefined ? [] : [tenant.column])]),
]

// Each names the columns in its condition: so Postgres refuses to drop one, or to change its type, while the function
// reads it. Where there is nothing to tell apart the condition is true, and costs nothing.
function triggerOf(
  operation: TablePlan['operations'][number],
  trigger: string,
  table: string,
  own: string,
  names: readonly string[],
): string {
  const head = `CREATE TRIGGER ${quoted(trigger)} AFTER ${operation.toUpperCase()} ON ${table}`
  const end = `EXECUTE FUNCTION ${own}()`
  if (operation === 'truncate') return `${head} FOR EACH STATEMENT ${end}`
  const row = operation === 'delete' ? 'OLD' : 'NEW'
  const condition =
    operation === 'update'
      ? differing(names, inTrigger)
      : `${names.map((name) => `${row}.${quoted(name)} IS NULL`).join(' OR ')} OR true`
  return `${head} FOR EACH ROW\n  WHEN (${condition})\n  ${end}`
}

// Compared as they are stored: = may find two equal that are not written alike (1.0 and 1.00), and json has none.
const differing = (names: readonly string[], { old, now }: Sides) => {
  const row = (side: string) => `ROW(${names.map((name) => `${side}.${quoted(name)}`).join(', ')})::record`
  return `${row(old)} OPERATOR(pg_catalog.*<>) ${row(now)}`
}

/** What the two rows are called. */
interface Sides {
  readonly old: string
  readonly now: string
}

const inTrigger: Sides = { old: 'OLD', now: 'NEW' }
const inReplication: Sides = { old: 'old_row', now: 'new_row' }

function bodyOf(plan: TablePlan, columns: ReadonlyMap<string, CatalogColumn>, schema: string): string {
  const replicated = plan.through === 'replication'
  const sides = replicated ? inReplication : inTrigger
  const shown = [...plan.columns, ...Object.keys(plan.redact)]
  const salted = Object.values(plan.redact).includes('hash')
  const readSide = (variable: string, record: string) => `
    ${variable} := json_build_object(${shown.map((name) => `\n      ${literal(name)}, ${shownValue(plan, columns, name, record)}`).join(',')});
    its_key := ${keyValue(plan, columns, record)};${tenantOf(plan, columns, record)}`
  const changed = shown.map(
    (name) => `\n      CASE WHEN ${differing([name], sides)} THEN ${literal(name)} END`,
  )
  const unless = `\n  IF operation = 'update' AND NOT (${differing(watched(plan), sides)}) THEN\n    RETURN;\n  END IF;`
  return `
DECLARE${replicated ? '' : '\n  operation constant text := lower(TG_OP);'}
  before json;
  after json;
  changed text[] := '{}';
  its_key text;
  its_tenant text := ${literal(plan.tenant.constant)};${salted ? '\n  salt bytea;' : ''}
BEGIN${salted ? `\n  SELECT s.salt INTO STRICT salt FROM ${schema}.table_source AS s WHERE s.name = ${literal(plan.source)};` : ''}${replicated ? unless : ''}
  IF operation IN ('update', 'delete') THEN${readSide('before', sides.old)}
  END IF;
  IF operation IN ('update', 'insert') THEN${readSide('after', sides.now)}
  END IF;
  IF operation = 'update' THEN
    changed := array_remove(ARRAY[${changed.join(',')}], NULL);
  END IF;
  PERFORM ${schema}.append_change(${literal(plan.source)}, ${literal(plan.type)}, its_tenant, its_key, operation,
    ${literal(`${plan.table.schema}.${plan.table.table}`)}, before, after, changed, ${plan.bytesMax}, ${valueBytesMax(plan, shown)},
    ${replicated ? 'happened_at' : 'NULL'});${
      plan.notify ? `\n  PERFORM pg_notify(${literal(`${schema}_appended`)}, 'table');` : ''
    }
  RETURN${replicated ? '' : ' NULL'};
END
`
}

/** Around the names and values of a body, and a margin. */
const bodyBytesAround = 1_024

/** So large may each value be that all of both sides fit. */
function valueBytesMax({ bytesMax, table }: TablePlan, shown: readonly string[]): number {
  const bytes = (text: string) => Buffer.byteLength(JSON.stringify(text)) + 5
  const names = shown.reduce((sum, name) => sum + 4 * bytes(name), 0)
  const left = bytesMax - bodyBytesAround - bytes(`${table.schema}.${table.table}`) - names
  return Math.max(0, Math.floor(left / (2 * shown.length)))
}

function shownValue(
  { redact }: TablePlan,
  columns: ReadonlyMap<string, CatalogColumn>,
  name: string,
  record: string,
): string {
  const value = `${record}.${quoted(name)}`
  const how = redact[name]
  if (how === 'hide') return `CASE WHEN num_nulls(${value}) = 0 THEN '[redacted]' END`
  const column = columns.get(name) as CatalogColumn
  if (how === 'hash') return `encode(sha256(salt || convert_to(${textOf(column, value)}, 'UTF8')), 'hex')`
  return column.array ? arrayValue[column.form](value) : values[column.form](value)
}

// Whatever a value is, its type's own output function writes it. No cast of a type that users made is ever called: this
// runs with the rights of whoever installed it.
const written = (value: string) => `CASE WHEN num_nulls(${value}) = 0 THEN format('%s', ${value}) END`

const values: Readonly<Record<ValueForm, (value: string) => string>> = {
  plain: (value) => value,
  text: (value) => `${value}::text`,
  padded: written,
  // Without the currency of the session.
  money: (value) => `${value}::numeric::text`,
  bytes: (value) => `translate(encode(${value}, 'base64'), chr(10), '')`,
  foreign: written,
}

const arrayValue: Readonly<Record<ValueForm, (value: string) => string>> = {
  ...values,
  text: (value) => `${value}::text[]`,
  padded: (value) => `${written(value)}::text[]`,
  money: (value) => `${value}::numeric[]::text[]`,
  bytes: (value) => `${value}::text[]`,
  foreign: (value) => `${written(value)}::text[]`,
}

const textOf = ({ form, array }: CatalogColumn, value: string) =>
  array || form === 'plain' ? written(value) : values[form](value)

function keyValue({ key }: TablePlan, columns: ReadonlyMap<string, CatalogColumn>, record: string): string {
  const texts = key.map((name) => textOf(columns.get(name) as CatalogColumn, `${record}.${quoted(name)}`))
  return texts.length === 1 ? (texts[0] as string) : `array_to_json(ARRAY[${texts.join(', ')}])::text`
}

function tenantOf(
  { tenant }: TablePlan,
  columns: ReadonlyMap<string, CatalogColumn>,
  record: string,
): string {
  if (tenant.column === undefined) return ''
  const text = textOf(columns.get(tenant.column) as CatalogColumn, `${record}.${quoted(tenant.column)}`)
  return `\n    its_tenant := coalesce(nullif(${text}, ''), ${literal(tenant.constant)});`
}
