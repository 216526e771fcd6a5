// The sources of an app, checked as a whole.
import type { Subscription } from '../deliver/subscription.js'
import {
  type AnyTableSource,
  type CustomSource,
  type FileSource,
  type Source,
  type TranslatingSource,
  tableOperations,
  type WebhookSource,
} from '../source/index.js'
import { checkAddresses, checkRoute } from './app-routes.js'

const inFlightMost = 10_000
const keptMost = 1_000_000

export function checkSources(sources: readonly Source[], faults: string[]): void {
  const seen = new Set<string>()
  for (const source of sources) {
    const { name } = source
    const fault = (message: string) => void faults.push(`source "${name}": ${message}`)
    if (!/^[a-z0-9][a-z0-9-]{0,79}$/.test(String(name)))
      fault('a name is lower-case letters, digits and dashes, at most 80, such as "stripe"')
    if (source.transport === 'table') checkTable(source, fault)
    else if (source.transport === 'http-route') {
      checkRoute(source, fault)
      checkInFlight(source.inFlightMax, fault)
    } else checkTranslating(source, fault)
    if (seen.has(name)) fault('is defined twice; its name is its address, so give each its own')
    seen.add(name)
  }
  checkAddresses(sources, faults)
}

/** What an app writes to a queue that it also empties would come in again, go out again, and so on. */
export function checkCircles(
  sources: readonly Source[],
  subscriptions: readonly Subscription[],
  faults: string[],
): void {
  for (const source of sources) {
    if (source.transport !== 'custom' || source.queue === undefined) continue
    for (const { name, policies } of subscriptions)
      if (policies.queue === source.queue)
        faults.push(
          `source "${source.name}": brings in again what the subscription "${name}" writes to ${source.queue}, without an end; take two queues`,
        )
  }
}

function checkTranslating(source: TranslatingSource, fault: (message: string) => void): void {
  if (source.transport === 'http') checkWebhook(source, fault)
  else if (source.transport === 'file') checkFile(source, fault)
  else checkCustom(source, fault)
  if (typeof source.to !== 'function')
    fault('to must be a function; write to: (message) => ({ event: paid, data: message.json() })')
}

function checkWebhook({ verify, inFlightMax }: WebhookSource, fault: (message: string) => void): void {
  if (typeof verify !== 'function')
    fault('verify must say who sent a message; write verify: standardWebhooks({ secrets: [ … ] })')
  checkInFlight(inFlightMax, fault)
}

function checkCustom({ run, where, inFlightMax }: CustomSource, fault: (message: string) => void): void {
  if (typeof run !== 'function')
    fault('run must bring its messages in; write run: async ({ receive, signal }) => { … }')
  if (where !== 'every-worker' && where !== 'one-worker')
    fault(`where is ${JSON.stringify(where)}; write "every-worker" or "one-worker"`)
  checkInFlight(inFlightMax, fault)
}

function checkInFlight(inFlightMax: number, fault: (message: string) => void): void {
  if (!(Number.isInteger(inFlightMax) && inFlightMax >= 1 && inFlightMax <= inFlightMost))
    fault(
      `inFlightMax is ${inFlightMax}; write a whole number from 1 to ${inFlightMost.toLocaleString('en')}`,
    )
}

function checkFile({ format, delimiter, keptMax }: FileSource, fault: (message: string) => void): void {
  if (format !== 'csv' && format !== 'ndjson')
    fault(`format is ${JSON.stringify(format)}; write "csv" or "ndjson"`)
  if (!/^[\x20-\x7e\t]$/.test(delimiter) || delimiter === '"')
    fault(`delimiter is ${JSON.stringify(delimiter)}; write one character that is no quote, such as ";"`)
  if (!(Number.isInteger(keptMax) && keptMax >= 1 && keptMax <= keptMost))
    fault(`keptMax is ${keptMax}; write a whole number from 1 to ${keptMost.toLocaleString('en')}`)
}

/** Triggers carry the name, and a name in Postgres has 63 bytes. */
const tableNameMax = 32
/** Postgres takes 100 arguments of a function: a name and a value each. */
const columnsMax = 50
const identifierBytesMax = 63

const isIdentifier = (name: unknown) =>
  typeof name === 'string' &&
  name !== '' &&
  name !== '__proto__' &&
  name.isWellFormed() &&
  !name.includes('\0') &&
  Buffer.byteLength(name) <= identifierBytesMax

function checkTable(source: AnyTableSource, fault: (message: string) => void): void {
  const { name, table, columns, redact, key, tenant, operations } = source
  if (String(name).length > tableNameMax)
    fault(`its triggers carry the name; take at most ${tableNameMax} characters`)
  if (!isIdentifier(table?.schema) || !isIdentifier(table?.table))
    fault("table must be a name of the catalog; write table: 'public.orders', or { schema, table }")
  const listed = Array.isArray(columns) ? columns : []
  const shown = [...listed, ...Object.keys(redact)]
  const wrong = shown.find((column) => !isIdentifier(column))
  if (listed.length === 0) fault("columns must say what the event holds; write columns: ['id', 'status']")
  if (wrong !== undefined)
    fault(`column ${JSON.stringify(wrong)} can be none of an event; take the name as the catalog has it`)
  if (shown.length > columnsMax) fault(`${shown.length} columns; an event holds at most ${columnsMax}`)
  const twice = shown.find((column, index) => shown.indexOf(column) !== index)
  if (twice !== undefined) fault(`column "${twice}" is named twice; name it in columns or in redact`)
  for (const [column, how] of Object.entries(redact))
    if (how !== 'hide' && how !== 'hash')
      fault(`redact.${column} is ${JSON.stringify(how)}; write "hide" or "hash"`)
  if (key.length === 0 || key.some((column) => !listed.includes(column)))
    fault(`key must name columns of "columns", which are ${listed.join(', ') || 'none'}; write key: 'id'`)
  if (source.through !== 'trigger' && source.through !== 'replication')
    fault(`through is ${JSON.stringify(source.through)}; write "trigger" or "replication"`)
  if (source.through === 'replication' && source.notify)
    fault('notify is for triggers: what comes through replication is told at once anyway')
  if (!isTenant(tenant))
    fault("tenant must be a name or a column; write tenant: 'acme' or tenant: { column: 'tenant_id' }")
  const known =
    Array.isArray(operations) && operations.every((operation) => tableOperations.includes(operation))
  if (!known || operations.length === 0 || new Set(operations).size < operations.length)
    fault(`operations must be some of ${tableOperations.join(', ')}, each once`)
}

const isTenant = (tenant: AnyTableSource['tenant']) =>
  tenant === undefined ||
  (typeof tenant === 'string'
    ? /^\P{Cc}{1,100}$/u.test(tenant)
    : isIdentifier((tenant as { column?: unknown } | null)?.column))
