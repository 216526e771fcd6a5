// The books as the test computes them, from the file and by other means than the application: what is compared must
// not come from what is tested.
import { readFileSync } from 'node:fs'

const text = readFileSync(new URL('../data/invoices.csv', import.meta.url), 'utf8')

/** Whole pence of each invoice. Only descriptions hold commas, so cells are counted from both ends. */
export const penceOf: ReadonlyMap<string, number> = (() => {
  const sums = new Map<string, number>()
  for (const line of text.trimEnd().split('\n').slice(1)) {
    const cells = line.split(',')
    const [quantity, , price] = cells.slice(-5)
    const [pounds = '0', fraction = ''] = (price ?? '').split('.')
    const unitPence = Number(pounds) * 100 + Number(fraction.padEnd(2, '0'))
    const [invoice = ''] = cells
    sums.set(invoice, (sums.get(invoice) ?? 0) + Number(quantity) * unitPence)
  }
  return sums
})()

/** Without customer and price; never sold to this customer by these books; the same. */
export const brokenInvoices = ['536414', 'C536383', 'C536391']

const good = [...penceOf].filter(([invoice]) => !brokenInvoices.includes(invoice))
const isCancellation = ([invoice]: readonly [string, number]) => invoice.startsWith('C')
const sum = (entries: readonly (readonly [string, number])[]) =>
  entries.reduce((total, [, pence]) => total + pence, 0)

const cancelled = good.filter(isCancellation)
const processed = good.filter((entry) => !isCancellation(entry))

/** The only right end of any run, whatever happened on the way. */
export const expectedTally = {
  processed: processed.length,
  processedPence: sum(processed),
  cancelled: cancelled.length,
  cancelledPence: sum(cancelled),
  dead: brokenInvoices.length,
  waiting: 0,
  inWork: 0,
}
