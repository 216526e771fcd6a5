// What other people wrote (payloads, error texts, names) as text that a terminal only shows: nothing in it can move the
// cursor, change colours, set the title or reverse the reading order.

import * as text from 'eventspine/text'

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' }

/** One line: every control character as an escape. */
export function visible(given: string): string {
  return text.visible(given, '\n\t\r').replace(/[\n\t\r]/g, (sign) => short[sign] ?? sign)
}

/** Several lines of `given`, each visible; tabs become two spaces. At most `linesMax`, the rest is counted. */
export function visibleLines(given: string, linesMax: number): string[] {
  const lines = given.split(/\r?\n/)
  const shown = lines.slice(0, linesMax).map((line) => visible(line.replaceAll('\t', '  ')))
  return lines.length > linesMax ? [...shown, `… ${lines.length - linesMax} more lines`] : shown
}

/** JSON that parses to the same value and holds no control character: `JSON.stringify` leaves DEL and C1 as they are. */
export function visibleJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent) ?? 'null'
  return text.visible(json, '\n')
}
