// How many columns of a terminal a text takes.

const mark = /\p{Mark}|\p{Default_Ignorable_Code_Point}/u

// East Asian wide and full-width blocks, and emoji: two columns each.
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
]

function widthOfSign(sign: string): number {
  const code = sign.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (mark.test(sign)) return 0
  return wideRanges.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}

/** Columns of a text without control characters. */
export function widthOf(text: string): number {
  let width = 0
  for (const sign of text) width += widthOfSign(sign)
  return width
}

/** The longest beginning of `text` that takes at most `columns`. */
export function cutTo(text: string, columns: number): string {
  let width = 0
  let end = 0
  for (const sign of text) {
    width += widthOfSign(sign)
    if (width > columns) break
    end += sign.length
  }
  return text.slice(0, end)
}
