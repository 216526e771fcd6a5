// What other people wrote (payloads, error texts, names) as text that a terminal only shows: nothing in it can move the
// cursor, change colours, set the title or reverse the reading order.

// C0 and C1 controls, DEL, halves of surrogate pairs, bidirectional controls, line and paragraph separators.
const dangerous = /[\p{Cc}\p{Surrogate}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]/gu

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' }

const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`

/** One line: every control character as an escape. */
export function visible(text: string): string {
  return text.replace(dangerous, (sign) => short[sign] ?? escaped(sign))
}

/** Several lines of `text`, each visible; tabs become two spaces. At most `linesMax`, the rest is counted. */
export function visibleLines(text: string, linesMax: number): string[] {
  const lines = text.split(/\r?\n/)
  const shown = lines.slice(0, linesMax).map((line) => visible(line.replaceAll('\t', '  ')))
  return lines.length > linesMax ? [...shown, `… ${lines.length - linesMax} more lines`] : shown
}

/** JSON that parses to the same value and holds no control character: `JSON.stringify` leaves DEL and C1 as they are. */
export function visibleJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent) ?? 'null'
  return json.replace(dangerous, (sign) => (sign === '\n' ? sign : escaped(sign)))
}
