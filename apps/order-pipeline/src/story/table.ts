// A table of text: columns as wide as their widest cell, numbers to the right.

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
  readonly right?: boolean
}

/** The lines of the table, its header first. */
export function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => cell(row))),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)))
  return cells.map((row) =>
    row
      .map((text, index) => padded(text, widths[index] ?? 0, columns[index]?.right))
      .join('  ')
      .trimEnd(),
  )
}

const padded = (text: string, width: number, right = false) =>
  right ? text.padStart(width) : text.padEnd(width)

/** `£1,234.50`, `−£27.50`. */
export function pounds(pence: number): string {
  const amount = (Math.abs(pence) / 100).toLocaleString('en-GB', { minimumFractionDigits: 2 })
  return `${pence < 0 ? '−' : ''}£${amount}`
}

/** The words of a text in lines of at most `width` characters. */
export function wrapped(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
