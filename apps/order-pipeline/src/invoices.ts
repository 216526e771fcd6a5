// Where the story begins: the invoices of a real shop, read from its export exactly as they are.
import { readFile } from 'node:fs/promises'

/** An invoice as the shop sends it: every cell a string, under the column names of its export. */
export interface RawInvoice {
  readonly InvoiceNo: string
  readonly lines: readonly Readonly<Record<string, string>>[]
}

const shippedFile = new URL('../data/invoices.csv', import.meta.url)

/** The invoices of a CSV file, in the order of the file. */
export async function readInvoices(file: URL | string = shippedFile): Promise<RawInvoice[]> {
  return groupByInvoice(parseCsv(await readFile(file, 'utf8')))
}

/** RFC 4180 with a header line: quoted cells may hold commas, line breaks and doubled quotes. */
export function parseCsv(text: string): Record<string, string>[] {
  const [header = [], ...rows] = splitCells(text)
  return rows.map((cells) => Object.fromEntries(header.map((name, index) => [name, cells[index] ?? ''])))
}

// A cell, quoted or bare, and what ends it.
const cellPattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/gy

function splitCells(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [match, quoted, bare = '', end] of text.matchAll(cellPattern)) {
    if (match === '' && row.length === 0) break
    row.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

function groupByInvoice(rows: readonly Record<string, string>[]): RawInvoice[] {
  const invoices = new Map<string, Record<string, string>[]>()
  for (const { InvoiceNo = '', ...line } of rows) {
    invoices.set(InvoiceNo, [...(invoices.get(InvoiceNo) ?? []), line])
  }
  return [...invoices].map(([InvoiceNo, lines]) => ({ InvoiceNo, lines }))
}
