// A source that is a table of the user's own: each change of a row becomes an event, in the transaction of the change.

import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { type AnyEventDefinition, defineEvent, type EventDefinition } from '../event/index.js'
import { checkOptions } from '../kernel/index.js'

/** A value of a column: number for smallint, integer, real and double precision (NaN and infinities are texts), boolean,
 *  arrays as arrays, and text for all else: bigint and numeric lose no digit, times are ISO 8601 (in UTC where they have a
 *  zone), bytea is base64, json stays as it is written. */
export type ColumnValue = string | number | boolean | null | readonly ColumnValue[]

/** Columns of a row. One that is missing is named in `omitted`. */
export type TableRow<Column extends string = string> = Readonly<Partial<Record<Column, ColumnValue>>>

interface AnyChange<Column extends string> {
  /** `schema.table`. */
  readonly table: string
  /** Of an update: the columns that differ. */
  readonly changed: readonly Column[]
  /** Columns that were left out, since the event would have been over the hard limit: ask the table for them. */
  readonly omitted: readonly Column[]
}

/** Data of the event of a table source. */
export type TableChange<Column extends string = string> = AnyChange<Column> &
  (
    | { readonly operation: 'insert'; readonly before: null; readonly after: TableRow<Column> }
    | { readonly operation: 'update'; readonly before: TableRow<Column>; readonly after: TableRow<Column> }
    | { readonly operation: 'delete'; readonly before: TableRow<Column>; readonly after: null }
    | { readonly operation: 'truncate'; readonly before: null; readonly after: null }
  )

export type TableOperation = TableChange['operation']
export const tableOperations: readonly TableOperation[] = ['insert', 'update', 'delete', 'truncate']

export interface TableName {
  readonly schema: string
  readonly table: string
}

export interface TableSourceOptions<Type extends string, Column extends string, Redacted extends string> {
  /** Lower case, digits and dashes, at most 32 characters: its triggers carry it. */
  readonly name: string
  /** `schema.table`, or `table` in the schema `public`, written as in the catalog: no folding, no quotes. Names that
   *  hold a dot: `{ schema, table }`. */
  readonly table: string | TableName
  /** Type of its events. */
  readonly type: Type
  /** What the event holds of a row, at most 50. There is no "all": a column that is added later must not leave by itself. */
  readonly columns: readonly Column[]
  /** Further columns, whose values nobody sees: `hide` stores "[redacted]", `hash` a salted SHA-256, the same for the same
   *  value as long as the source stays installed. NULL stays NULL. */
  readonly redact?: Readonly<Record<Redacted, 'hide' | 'hash'>>
  /** Whose value orders the events, mostly the primary key: of `columns`. Several are joined as a JSON array. */
  readonly key: NoInfer<Column> | readonly NoInfer<Column>[]
  /** Whose the rows are: a tenant, or a column that says so (an empty one: the app's tenant). Default: the app's tenant. */
  readonly tenant?: string | { readonly column: string }
  /** Default all of `insert`, `update`, `delete` and `truncate`. */
  readonly operations?: readonly TableOperation[]
  /** `trigger`: an event exists when the change commits. `replication`: writers notice nothing; a worker makes the events
   *  behind the commit, from the server's own log. Needs `wal_level = logical`, a role that may replicate, and a table with
   *  REPLICA IDENTITY FULL. Default `trigger`. */
  readonly through?: 'trigger' | 'replication'
  /** Through triggers: tell workers at once. Default false: they look five times a second. Every commit that tells takes a lock of the whole
   *  server, so leave it out where the table is written hundreds of times a second. */
  readonly notify?: boolean
  readonly description?: string
}

export interface TableSource<Type extends string = string, Column extends string = string>
  extends AnyTableSource {
  /** What subscriptions of these changes are for. */
  readonly event: EventDefinition<Type, TableChange<Column>, TableChange<Column>>
}

/** One of any table, as an app lists it. */
export interface AnyTableSource {
  readonly kind: 'source'
  readonly transport: 'table'
  readonly name: string
  readonly table: TableName
  readonly event: AnyEventDefinition
  readonly columns: readonly string[]
  readonly redact: Readonly<Record<string, 'hide' | 'hash'>>
  readonly key: readonly string[]
  readonly tenant: string | { readonly column: string } | undefined
  readonly operations: readonly TableOperation[]
  readonly through: 'trigger' | 'replication'
  readonly notify: boolean
  readonly description: string | undefined
}

const optionNames: Readonly<Record<keyof TableSourceOptions<string, string, string>, true>> = {
  name: true,
  table: true,
  type: true,
  columns: true,
  redact: true,
  key: true,
  tenant: true,
  operations: true,
  through: true,
  notify: true,
  description: true,
}

/**
 * Changes of a table in a cell's database. List it in `defineApp({ sources: […] })`, subscribe to its `event`, and install
 * its triggers with `eventspine sources install NAME` or `spine.sources.tables.install(name, by)`. The event exists if and
 * only if the change of the row commits.
 */
export function tableSource<
  const Type extends string,
  const Column extends string,
  const Redacted extends string = never,
>(options: TableSourceOptions<Type, Column, Redacted>): TableSource<Type, Column | Redacted> {
  checkOptions('tableSource', options, optionNames)
  const { name, type, columns, redact, tenant, description } = options
  const key: readonly string[] = typeof options.key === 'string' ? [options.key] : options.key
  return Object.freeze({
    ...{ kind: 'source' as const, transport: 'table' as const, name, table: nameOf(options.table) },
    event: defineEvent({
      ...{ type, schema: changeSchema as StandardSchemaV1<TableChange<Column | Redacted>> },
      key: (change) => keyOf(change, key) as string,
      ...(description !== undefined && { description }),
    }),
    ...{ columns, redact: redact ?? {}, key, tenant, description },
    operations: options.operations ?? tableOperations,
    through: options.through ?? 'trigger',
    notify: options.notify ?? false,
  })
}

function nameOf(table: string | TableName): TableName {
  if (typeof table !== 'string') return table
  const dot = table.indexOf('.')
  return dot < 0 ? { schema: 'public', table } : { schema: table.slice(0, dot), table: table.slice(dot + 1) }
}

// As the trigger makes it. Undefined, and so in no order, where the row has none, as a truncated table.
function keyOf({ before, after }: TableChange, key: readonly string[]): string | undefined {
  const row = after ?? before
  if (row === null) return undefined
  const values = key.map((column) => textOf(row[column] ?? null))
  return values.length === 1 ? (values[0] ?? undefined) : JSON.stringify(values)
}

const textOf = (value: ColumnValue) => (value === null ? null : String(value))

const isRow = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isNames = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === 'string')
/** Whether there is a row before, and one after. */
const sides: Readonly<Record<string, readonly [boolean, boolean]>> = {
  ...{ insert: [false, true], update: [true, true], delete: [true, false], truncate: [false, false] },
}

const names = { type: 'array', items: { type: 'string' } } as const
const rowShape = {
  type: ['object', 'null'],
  additionalProperties: { type: ['string', 'number', 'boolean', 'null', 'array'] },
} as const

/** The contract of its events, the same for all tables: which columns there are says the source, of which types they are the table alone,
 *  and neither changes the version of the event. */
const changeContract = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    ...{ operation: { enum: tableOperations }, table: { type: 'string' } },
    ...{ before: rowShape, after: rowShape, changed: names, omitted: names },
  },
  required: ['operation', 'table', 'before', 'after', 'changed', 'omitted'],
}

/** What somebody publishes by hand, in a test say, must look like what the triggers write. */
const changeSchema: StandardSchemaV1<TableChange> & StandardJSONSchemaV1<TableChange> = {
  '~standard': {
    ...{ version: 1, vendor: 'eventspine' },
    jsonSchema: { input: () => changeContract, output: () => changeContract },
    validate(value) {
      const { operation, table, before, after, changed, omitted } = (value ?? {}) as Partial<TableChange>
      const [has, gets] = sides[String(operation)] ?? []
      const side = (row: unknown, there: boolean | undefined) => (there === true ? isRow(row) : row === null)
      if (has === undefined)
        return { issues: [{ message: `must be one of ${tableOperations.join(', ')}`, path: ['operation'] }] }
      const isWhole = typeof table === 'string' && isNames(changed) && isNames(omitted)
      if (isWhole && side(before, has) && side(after, gets)) return { value: value as TableChange }
      const message = `of "${operation}" must be { operation, table, before: ${has ? 'the row' : 'null'}, after: ${gets === true ? 'the row' : 'null'}, changed: [ … ], omitted: [ … ] }`
      return { issues: [{ message }] }
    },
  },
}
