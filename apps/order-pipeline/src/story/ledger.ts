// What became of each invoice, as the log tells it. Nothing is remembered between two calls, so it is as true after
// a crash as before.
import type { DeadLetter, Operator, Page, PageRequest } from 'eventspine'
import { announcement, orderAnnounced } from '../events.js'
import type { RawInvoice } from '../invoices.js'

export type Ending =
  | { readonly state: 'processed' | 'cancelled'; readonly totalPence: number }
  | { readonly state: 'dead'; readonly letter: DeadLetter }
  /** Behind a dead one of the same customer, until that is redriven or discarded. */
  | { readonly state: 'waiting'; readonly behind: string }
  | { readonly state: 'in work' }

/** One ending for each invoice, by its number. */
export type Ledger = ReadonlyMap<string, Ending>

export async function readLedger(operator: Operator, invoices: readonly RawInvoice[]): Promise<Ledger> {
  const dead = await all((page) => operator.deadLetters({ state: 'dead', ...page }))
  const endings = new Map<string, Ending>()
  for (const letter of dead) endings.set(letter.event.subject ?? '', { state: 'dead', letter })
  for (const { data } of await all((page) => operator.events({ type: orderAnnounced.type, ...page }))) {
    const { invoice, result, totalPence } = announcement.parse(data)
    endings.set(invoice, { state: result, totalPence })
  }
  const halted = new Map(
    dead.filter(({ halts }) => halts).map(({ event }) => [event.key ?? '', event.subject ?? '']),
  )
  return new Map(
    invoices.map((invoice) => [
      invoice.InvoiceNo,
      endings.get(invoice.InvoiceNo) ?? unfinished(invoice, halted),
    ]),
  )
}

function unfinished({ lines }: RawInvoice, halted: ReadonlyMap<string, string>): Ending {
  const behind = halted.get(lines[0]?.CustomerID ?? '')
  return behind === undefined ? { state: 'in work' } : { state: 'waiting', behind }
}

const pagesMax = 100

/** Every item of a paged answer, at most 50,000. */
export async function all<Item>(read: (page: PageRequest) => Promise<Page<Item>>): Promise<readonly Item[]> {
  const items: Item[] = []
  let page: PageRequest = { limit: 500 }
  for (let count = 0; count < pagesMax; count += 1) {
    const { items: more, cursor } = await read(page)
    items.push(...more)
    if (cursor === null) break
    page = { ...page, cursor }
  }
  return items
}

export interface Tally {
  readonly processed: number
  readonly processedPence: number
  readonly cancelled: number
  readonly cancelledPence: number
  readonly dead: number
  readonly waiting: number
  readonly inWork: number
}

export function tallyOf(ledger: Ledger): Tally {
  const endings = [...ledger.values()]
  const count = (state: Ending['state']) => endings.filter((ending) => ending.state === state).length
  const pence = (state: Ending['state']) =>
    endings.reduce(
      (sum, ending) => sum + (ending.state === state && 'totalPence' in ending ? ending.totalPence : 0),
      0,
    )
  return {
    processed: count('processed'),
    processedPence: pence('processed'),
    cancelled: count('cancelled'),
    cancelledPence: pence('cancelled'),
    dead: count('dead'),
    waiting: count('waiting'),
    inWork: count('in work'),
  }
}

export interface WaitingInvoice {
  readonly invoice: string
  readonly behind: string
}

export const waitingIn = (ledger: Ledger): WaitingInvoice[] =>
  [...ledger].flatMap(([invoice, ending]) =>
    ending.state === 'waiting' ? [{ invoice, behind: ending.behind }] : [],
  )

export interface DeadInvoice {
  readonly invoice: string
  readonly subscription: string
  readonly deadLetter: string
  readonly reason: string
}

export const deadIn = (ledger: Ledger): DeadInvoice[] =>
  [...ledger].flatMap(([invoice, ending]) => {
    if (ending.state !== 'dead') return []
    const { id, subscription, failure } = ending.letter
    return [{ invoice, subscription, deadLetter: id, reason: failure.message }]
  })

/** How many of these invoices have come to their proper end. */
export const homeIn = (ledger: Ledger, invoices: readonly string[]) =>
  invoices.filter((invoice) => ['processed', 'cancelled'].includes(ledger.get(invoice)?.state ?? '')).length
