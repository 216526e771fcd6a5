// The `wildcard` operator: `*` stands for any run of characters, also none; `\*` and `\\` are the characters themselves.
// Matching is linear in the value and never goes back: the parts between the stars are found from left to right, each at
// its first place, which is enough because nothing but a star stands between them. No regular expression is involved.
import { FilterError } from './error.js'

/** Stars in one wildcard. Matching stays linear with any number; more than this is a mistake or an attack. */
export const wildcardStarsMax = 32

// Below this length the engine's own search costs at most a few comparisons for each character; above it the worst case
// (`aaaa…b` in `aaaa…`) would multiply, so the search keeps its own table and stays linear.
const directSearchCharactersMax = 8

type Search = (value: string, from: number) => number

/**
 * A test for one wildcard.
 * @throws FilterError on `**`, on a backslash before anything but `*` or `\`, and beyond `wildcardStarsMax` stars.
 */
export function compileWildcard(wildcard: string, path: string): (value: string) => boolean {
  const parts = splitAtStars(wildcard, path)
  const first = parts[0] ?? ''
  const last = parts[parts.length - 1] ?? ''
  if (parts.length === 1) return (value) => value === first
  const inner = parts.slice(1, -1).map((part) => ({ search: compileSearch(part), length: part.length }))
  return (value) => {
    if (!value.startsWith(first) || !value.endsWith(last)) return false
    const end = value.length - last.length
    let at = first.length
    for (const part of inner) {
      const found = part.search(value, at)
      if (found < 0) return false
      at = found + part.length
    }
    return at <= end
  }
}

function splitAtStars(wildcard: string, path: string): string[] {
  const parts: string[] = []
  let part = ''
  for (let at = 0; at < wildcard.length; at += 1) {
    const character = wildcard.charAt(at)
    if (character === '*') {
      if (wildcard.charAt(at + 1) === '*') {
        throw new FilterError(
          path,
          `has "**" at character ${at + 1}; write a single "*", or "\\\\*" for a star itself`,
        )
      }
      parts.push(part)
      part = ''
    } else if (character === '\\') {
      at += 1
      part += escaped(wildcard.charAt(at), at, path)
    } else {
      part += character
    }
  }
  if (parts.length > wildcardStarsMax) {
    throw new FilterError(path, `has ${parts.length} stars; write at most ${wildcardStarsMax}`)
  }
  parts.push(part)
  return parts
}

function escaped(character: string, at: number, path: string): string {
  if (character === '*' || character === '\\') return character
  throw new FilterError(
    path,
    `has a backslash at character ${at} that escapes nothing; in JSON write "\\\\*" for a star and "\\\\\\\\" for a backslash`,
  )
}

function compileSearch(part: string): Search {
  if (part.length <= directSearchCharactersMax) return (value, from) => value.indexOf(part, from)
  const fallback = fallbackTable(part)
  return (value, from) => {
    let matched = 0
    for (let at = from; at < value.length; at += 1) {
      const code = value.charCodeAt(at)
      while (matched > 0 && part.charCodeAt(matched) !== code) matched = fallback[matched - 1] ?? 0
      if (part.charCodeAt(matched) === code) matched += 1
      if (matched === part.length) return at - matched + 1
    }
    return -1
  }
}

/** Knuth, Morris, Pratt: for each prefix, the length of its longest proper prefix that is also its suffix. */
function fallbackTable(part: string): Int32Array {
  const table = new Int32Array(part.length)
  let length = 0
  for (let at = 1; at < part.length; at += 1) {
    const code = part.charCodeAt(at)
    while (length > 0 && part.charCodeAt(length) !== code) length = table[length - 1] ?? 0
    if (part.charCodeAt(length) === code) length += 1
    table[at] = length
  }
  return table
}
