// Rows of text in columns that fit the terminal. What must be copied (ids, names) is never cut; what may be cut is,
// the widest column first, and what then still has no room is left out where it may be.
import { dim, fitted, type Text, widthOfText } from './text.js'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** May be cut down to so many columns. Default: never cut. */
  readonly widthMin?: number
  /** May be left out where there is no room. */
  readonly optional?: boolean
}

const gap = 2

/** The lines of a table, its head first. `columns` is the width of the terminal. */
export function table(columns: readonly Column[], rows: readonly (readonly Text[])[], width: number): Text[] {
  const widths = fit(columns, naturalWidths(columns, rows), width)
  const surplus = columns.findLastIndex(({ optional }) => optional === true)
  if (sumOf(widths) > width && surplus >= 0) {
    const without = <Item>(items: readonly Item[]) => items.filter((_, index) => index !== surplus)
    return table(without(columns), rows.map(without), width)
  }
  const head = columns.map(({ title }) => dim(title))
  return [head, ...rows].map((row) => line(columns, row, widths))
}

const sumOf = (widths: readonly number[]) => widths.reduce((sum, each) => sum + each + gap, -gap)

function naturalWidths(columns: readonly Column[], rows: readonly (readonly Text[])[]): number[] {
  return columns.map(({ title }, index) =>
    Math.max(widthOfText(title), ...rows.map((row) => widthOfText(row[index] ?? ''))),
  )
}

function fit(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  let excess = sumOf(widths) - width
  while (excess > 0) {
    let widest = -1
    columns.forEach(({ widthMin }, index) => {
      if (widthMin === undefined || (widths[index] ?? 0) <= widthMin) return
      if (widest < 0 || (widths[index] ?? 0) > (widths[widest] ?? 0)) widest = index
    })
    if (widest < 0) break
    widths[widest] = (widths[widest] ?? 1) - 1
    excess -= 1
  }
  return widths
}

function line(columns: readonly Column[], row: readonly Text[], widths: readonly number[]): Text {
  const last = columns.length - 1
  return columns.flatMap(({ align }, index): Text[] => {
    const cell = fitted(row[index] ?? '', widths[index] ?? 0)
    const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOfText(cell)))
    const padded = align === 'right' ? [padding, cell] : index === last ? [cell] : [cell, padding]
    return index === 0 ? padded : [' '.repeat(gap), ...padded]
  })
}

/** Names and values below one another. */
export function list(entries: readonly (readonly [string, Text])[]): Text[] {
  const width = Math.max(...entries.map(([name]) => widthOfText(name)))
  return entries.map(([name, value]) => [dim(name.padEnd(width)), '  ', value])
}
