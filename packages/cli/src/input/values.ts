// What a flag may hold, read into its type. Anything else is refused with what to write instead.
import { InvalidArgumentError } from 'commander'

/** A whole number from `min` to `max`. */
export const wholeNumber = (min: number, max: number) => (text: string) => {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`)
}

/** A number above `above`, at most `max`. */
export const numberAbove = (above: number, max: number) => (text: string) => {
  const value = Number(text)
  if (/^\d*\.?\d+$/.test(text) && value > above && value <= max) return value
  throw new InvalidArgumentError(`Write a number above ${above}, at most ${max}.`)
}

const back = /^(\d{1,6})\s?(s|m|min|h|d)$/
const unitMs: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, min: 6e4, h: 36e5, d: 864e5 }
const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i

/** ISO 8601 (UTC where no offset is named), or so long ago: `15m`, `2h`, `3d`. */
export function momentOf(text: string): Date {
  const relative = back.exec(text)
  if (relative !== null) return new Date(Date.now() - Number(relative[1]) * (unitMs[relative[2] ?? ''] ?? 0))
  const parts = iso.exec(text)
  const zoned = parts?.[4] !== undefined && parts[7] === undefined ? `${text}Z` : text
  const date = new Date(zoned.replace(' ', 'T'))
  if (parts !== null && Number.isFinite(date.getTime()) && isDay(parts)) return date
  throw new InvalidArgumentError('Write a time such as 2026-01-31T12:00:00Z, or so long ago: 15m, 2h, 3d.')
}

// The engine takes 31 February for 3 March.
function isDay(parts: RegExpExecArray): boolean {
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}
