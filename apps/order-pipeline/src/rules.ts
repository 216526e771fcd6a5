// The rules of the business: pure functions from an invoice to an order, or to every rule that it breaks.
import { ValidationError } from 'eventspine'
import type { Invoice, Line } from './events.js'

/** An invoice that obeys the rules. */
export interface Order {
  readonly number: string
  readonly kind: Invoice['kind']
  readonly customer: string
  readonly lines: readonly Line[]
  /** Negative for a cancellation. */
  readonly totalPence: number
  /** What a cancellation takes back from. Empty for an order, and for a credit of money alone. */
  readonly originals: readonly string[]
}

/** What a customer bought and has not returned, by stock code. */
export type Holdings = ReadonlyMap<
  string,
  { readonly quantity: number; readonly invoices: readonly string[] }
>

/** Throws a ValidationError that names every rule that is broken, so that a person mends them in one go. */
export function judge(invoice: Invoice, holdings: Holdings): Order {
  const { number, kind, customer, lines } = invoice
  const broken = kind === 'order' ? lines.flatMap(faultsOfSale) : faultsOfCancellation(lines, holdings)
  if (customer === null) broken.unshift('it names no customer')
  if (customer === null || broken.length > 0)
    throw new ValidationError(`invoice ${number}: ${broken.join('; ')}`)
  return {
    number,
    kind,
    customer,
    lines,
    totalPence: totalPence(lines),
    originals: originalsOf(invoice, holdings),
  }
}

export const totalPence = (lines: readonly Line[]) =>
  lines.reduce((total, { quantity, unitPence }) => total + quantity * unitPence, 0)

function faultsOfSale({ stockCode, quantity, unitPence }: Line): string[] {
  if (quantity <= 0) return [`it sells ${quantity} × ${stockCode}: only a cancellation gives back`]
  return unitPence === 0 ? [`it sells ${quantity} × ${stockCode} without a price`] : []
}

function faultsOfCancellation(lines: readonly Line[], holdings: Holdings): string[] {
  const sold = lines.filter(({ quantity }) => quantity >= 0)
  const faults = sold.map(
    ({ stockCode, quantity }) => `it sells ${quantity} × ${stockCode}: a cancellation only gives back`,
  )
  for (const [stockCode, quantity] of returnedGoods(lines)) {
    const held = holdings.get(stockCode)?.quantity ?? 0
    if (quantity > held)
      faults.push(`it returns ${quantity} × ${stockCode}, of which the customer holds ${held}`)
  }
  return faults
}

// Summed first: two lines that are fine each may together return more than was bought.
function returnedGoods(lines: readonly Line[]): Map<string, number> {
  const returned = new Map<string, number>()
  for (const { stockCode, quantity } of lines) {
    if (isGoods(stockCode)) returned.set(stockCode, (returned.get(stockCode) ?? 0) - quantity)
  }
  return returned
}

/** Discount (D), manual correction (M), postage (POST) are money without goods: there is nothing to give back. */
const isGoods = (stockCode: string) => /\d/.test(stockCode)

function originalsOf({ kind, lines }: Invoice, holdings: Holdings): string[] {
  if (kind === 'order') return []
  return [...new Set(lines.flatMap(({ stockCode }) => holdings.get(stockCode)?.invoices ?? []))]
}
