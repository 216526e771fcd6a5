// Numbers as they stand in JSON text: where one ends, and whether it survives being read as a double.

const zero = 48
const nine = 57

/** No number of so few characters without an exponent can exceed 2^53 or lose itself. */
const exactCharactersMax = 15

/** The end of the number that begins at `from`, or -1 when there is none. */
export function numberEnd(text: string, from: number): number {
  let at = text.charCodeAt(from) === 45 ? from + 1 : from
  const digits = digitsEnd(text, at)
  if (digits === at || (text.charCodeAt(at) === zero && digits > at + 1)) return -1
  at = digits
  if (text.charCodeAt(at) === 46) {
    const fraction = digitsEnd(text, at + 1)
    if (fraction === at + 1) return -1
    at = fraction
  }
  if ((text.charCodeAt(at) | 32) !== 101) return at
  const sign = text.charCodeAt(at + 1)
  const exponent = sign === 43 || sign === 45 ? at + 2 : at + 1
  const end = digitsEnd(text, exponent)
  return end === exponent ? -1 : end
}

function digitsEnd(text: string, from: number): number {
  let at = from
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code < zero || code > nine) break
    at += 1
  }
  return at
}

/** What is wrong with the number between two positions of a text, or undefined when it can be kept. */
export function numberFault(text: string, from: number, end: number): string | undefined {
  if (end - from <= exactCharactersMax && !hasExponent(text, from, end)) return undefined
  const literal = text.slice(from, end)
  const value = Number(literal)
  if (value === 0 && /[1-9]/.test(literal.replace(/e.*/i, ''))) {
    return 'holds a number too small for a double; send it as a string, or send 0'
  }
  return valueFault(value)
}

function hasExponent(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at += 1) if ((text.charCodeAt(at) | 32) === 101) return true
  return false
}

/** What is wrong with a number, or undefined when it can be kept. */
export function valueFault(value: number): string | undefined {
  if (!Number.isFinite(value)) return 'holds a number that is no finite double; send it as a string, or null'
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return undefined
  return 'holds an integer beyond 2^53, which would lose digits; send it as a string'
}
