// The story as text, chapter by chapter: pure functions from what happened to lines of at most 96 characters.
import type { Incident } from './incidents.js'
import type { DeadInvoice, Tally } from './ledger.js'
import type { FirstPass, Story } from './live.js'
import { type Column, pounds, tableOf, wrapped } from './table.js'

export const widthMax = 96

export function firstPassLines({ invoices, lines, known, repeats, tally, waiting }: FirstPass): string[] {
  return [
    ...wrapped(
      known === invoices
        ? `All ${invoices} invoices were posted again, and known already: the log kept one of each.`
        : `${invoices} real invoices with ${lines} lines came in over HTTP, as the shop wrote them.${known > 0 ? ` ${known} were known already.` : ''}`,
      widthMax,
    ),
    ...(repeats > 0
      ? [`${repeats} of them came twice, under another id: recognised by their content, let through once.`]
      : []),
    '',
    ...tallyLines(tally),
    ...waiting.map(
      ({ invoice, behind }) => `${invoice} waits behind ${behind}: the same customer, so in order`,
    ),
  ]
}

const tallyColumns: Column<readonly [string, number, string]>[] = [
  { title: '', cell: ([state]) => state },
  { title: '', cell: ([, count]) => String(count), right: true },
  { title: '', cell: ([, , note]) => note, right: true },
]

function tallyLines(tally: Tally): string[] {
  const rows = [
    ['processed', tally.processed, pounds(tally.processedPence)],
    ['cancelled', tally.cancelled, pounds(tally.cancelledPence)],
    ['dead', tally.dead, ''],
    ['waiting', tally.waiting, ''],
    ['in work', tally.inWork, ''],
  ] as const
  return tableOf(
    tallyColumns,
    rows.filter(([state, count]) => count > 0 || state === 'processed'),
  ).slice(1)
}

const incidentColumns: Column<Incident>[] = [
  { title: 'category', cell: ({ category }) => category },
  { title: 'function', cell: ({ where }) => where },
  { title: 'cause', cell: ({ story }) => story },
  { title: 'invoices', cell: ({ invoices }) => String(invoices.length), right: true },
  { title: 'failed', cell: ({ failed }) => String(failed), right: true },
  { title: 'retried', cell: ({ retried }) => String(retried), right: true },
  { title: 'dead', cell: ({ dead }) => String(dead), right: true },
  { title: 'opened', cell: ({ breaker }) => breaker ?? '–' },
  { title: 'home', cell: ({ home }) => String(home), right: true },
]

export const incidentLines = (incidents: readonly Incident[]) => tableOf(incidentColumns, incidents)

export function redriveLines({ redrive }: Story): string[] {
  if (redrive === null) return ['Nothing to redrive: no dead letter has a cause that was mended.']
  const { selected, canary, succeeded, failed } = redrive
  const first = Math.min(canary, selected)
  return wrapped(
    `The causes are mended and ${selected} dead letters redriven, ${first} of them first as canaries: ` +
      `${succeeded} came home${failed > 0 ? `, ${failed} failed again` : ''}.`,
    widthMax,
  )
}

export function deadLines(dead: readonly DeadInvoice[]): string[] {
  return dead.flatMap(({ invoice, reason }) => {
    const [first = '', ...more] = wrapped(shortened(reason.replace(`invoice ${invoice}: `, '')), widthMax - 9)
    return [`${invoice.padEnd(9)}${first}`, ...more.map((line) => `${' '.repeat(9)}${line}`)]
  })
}

const faultsShownMax = 2

function shortened(reason: string): string {
  const faults = reason.split('; ')
  const more = faults.length - faultsShownMax
  return [...faults.slice(0, faultsShownMax), ...(more > 0 ? [`and ${more} more like it`] : [])].join('; ')
}

/** The sum that must come out, whatever happened on the way. */
export function booksLines({ firstPass, tally }: Story): string[] {
  const { processed, cancelled, dead, waiting, inWork, processedPence, cancelledPence } = tally
  const rest = [
    [waiting, 'waiting'],
    [inWork, 'in work'],
  ].flatMap(([count, state]) => (count === 0 ? [] : [`${count} ${state}`]))
  return [
    `${firstPass.invoices} invoices = ${[`${processed} processed`, `${cancelled} cancelled`, `${dead} dead`, ...rest].join(' + ')}`,
    `${pounds(processedPence)} sold − ${pounds(-cancelledPence)} given back = ${pounds(processedPence + cancelledPence)}`,
  ]
}

/** Something to try: what it shows, and a line that works as it stands in the root of the repository. */
export interface Suggestion {
  readonly shows: string
  readonly command: string
}

export function suggestionsFor({ dead }: Story, url: string): Suggestion[] {
  const [first] = dead
  const why =
    first === undefined
      ? []
      : [
          {
            shows: `why ${first.invoice} is dead, and how to mend it`,
            command: `npm run eventspine -- dead show ${first.deadLetter}`,
          },
        ]
  return [
    {
      shows: 'an invoice that was redriven: its deliveries, and all that followed from it',
      command: `curl ${url}/v1/events/invoice-536488`,
    },
    {
      shows: 'an order of your own',
      command: `curl --json @apps/order-pipeline/examples/order.json ${url}/v1/events`,
    },
    ...why,
    { shows: 'whether everything adds up', command: 'npm run eventspine -- doctor' },
    { shows: 'how a function is written', command: 'less apps/order-pipeline/src/functions/process.ts' },
  ]
}
