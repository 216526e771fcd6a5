// Strings as they stand in JSON text: where one ends, and whether it holds what no store keeps.
// The fast path is one comparison chain for each character; escapes and surrogates take the slow path.

const quote = 34
const backslash = 92
const controlsEnd = 32
const highSurrogate = 0xd800
const lowSurrogate = 0xdc00
const surrogatesEnd = 0xe000

const escapeLetters = new Set('"\\/bfnrt')
const hexPattern = /^[0-9a-fA-F]{4}$/

/** What may be wrong inside a string. */
export type StringFault = 'unterminated' | 'control' | 'escape' | 'nul' | 'surrogate'

/** The end of a string, or a fault at `at`. */
export interface StringScan {
  /** Position of the closing quote, or of the fault. */
  readonly at: number
  readonly fault: StringFault | undefined
}

/**
 * The position of the closing quote of a string without escapes and surrogates whose text begins at `from`; or the
 * complement (`~position`) of the first character that needs `scanString`.
 */
export function plainStringEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === quote) return at
    if (code === backslash || code < controlsEnd) return ~at
    if (code >= highSurrogate && code < surrogatesEnd) return ~at
  }
  return ~text.length
}

/** Reads on through escapes and surrogates from a place outside both. */
export function scanString(text: string, from: number): StringScan {
  let high = -1
  let at = from
  while (at < text.length) {
    const start = at
    let code = text.charCodeAt(at)
    if (code === quote) return high < 0 ? { at, fault: undefined } : { at: high, fault: 'surrogate' }
    if (code < controlsEnd) return { at, fault: code === 0 ? 'nul' : 'control' }
    at += 1
    if (code === backslash) {
      const letter = text.charAt(at)
      const hex = letter === 'u' ? text.slice(at + 1, at + 5) : ''
      if (letter !== 'u' ? !escapeLetters.has(letter) : !hexPattern.test(hex))
        return { at: start, fault: 'escape' }
      code = letter === 'u' ? Number.parseInt(hex, 16) : controlsEnd
      if (code === 0) return { at: start, fault: 'nul' }
      at += 1 + hex.length
    }
    const isLow = code >= lowSurrogate && code < surrogatesEnd
    // Halves of a pair belong together however each is written, raw or escaped.
    if (isLow !== high >= 0) return { at: isLow ? start : high, fault: 'surrogate' }
    high = code >= highSurrogate && code < lowSurrogate ? start : -1
  }
  return { at, fault: 'unterminated' }
}
