// Styled text as a value. A style is applied when a line is printed, after every piece was made visible: so no text of
// somebody else can carry a style, or anything else, into the terminal.
import picocolors from 'picocolors'
import { visible } from './visible.js'
import { cutTo, widthOf } from './width.js'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export interface Span {
  readonly text: string
  readonly style: Style
}

/** A line in pieces. */
export type Text = string | Span | readonly Text[]

export type Colors = ReturnType<typeof picocolors.createColors>

const styled =
  (style: Style) =>
  (text: string): Span => ({ text, style })

export const bold = styled('bold')
export const dim = styled('dim')
export const red = styled('red')
export const green = styled('green')
export const yellow = styled('yellow')
export const cyan = styled('cyan')

interface Piece {
  readonly text: string
  readonly style: Style | undefined
}

function pieces(text: Text): Piece[] {
  if (typeof text === 'string') return [{ text: visible(text), style: undefined }]
  if ('style' in text) return [{ text: visible(text.text), style: text.style }]
  return text.flatMap(pieces)
}

/** Columns that it takes. */
export function widthOfText(text: Text): number {
  return pieces(text).reduce((width, piece) => width + widthOf(piece.text), 0)
}

/** As it goes to the terminal. */
export function render(text: Text, colors: Colors): string {
  return pieces(text)
    .map(({ text: piece, style }) => (style === undefined ? piece : colors[style](piece)))
    .join('')
}

/** The text itself when it fits into `columns`, else its beginning and an ellipsis. */
export function fitted(text: Text, columns: number): Text {
  if (widthOfText(text) <= columns) return text
  const kept: Text[] = []
  let left = columns - 1
  for (const { text: piece, style } of pieces(text)) {
    const part = cutTo(piece, left)
    kept.push(style === undefined ? part : { text: part, style })
    left -= widthOf(part)
    if (part.length < piece.length) break
  }
  return [...kept, '…']
}

/** The text broken at spaces into lines of at most `columns`; a word that is longer stays whole. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of visible(text).split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line === '' || widthOf(longer) <= columns) line = longer
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line]
}
