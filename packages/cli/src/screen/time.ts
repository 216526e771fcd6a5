// Moments and durations as people read them. Exact values are in --json.

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
]

/** `3 min`, `1.2 s`, `12 ms`. */
export function duration(milliseconds: number): string {
  const ms = Math.abs(milliseconds)
  if (ms < 1_000) return `${ms < 10 && ms % 1 !== 0 ? ms.toFixed(1) : Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  const [unit, size] = units.find((each) => ms >= each[1]) ?? ['s', 1_000]
  return `${Math.floor(ms / size)} ${unit}`
}

/** `3 min ago`, or `in 20 s` for what is to come. */
export function ago(atMs: number, nowMs: number = Date.now()): string {
  const past = nowMs - atMs
  if (Math.abs(past) < 1_000) return 'just now'
  const seconds = Math.floor(Math.abs(past) / 1_000) * 1_000
  const [unit, size] = units.find((each) => seconds >= each[1]) ?? ['s', 1_000]
  const text = `${Math.floor(seconds / size)} ${unit}`
  return past > 0 ? `${text} ago` : `in ${text}`
}

/** `2026-01-31 12:00:00.000Z (3 min ago)`. */
export function moment(atMs: number): string {
  return `${new Date(atMs).toISOString().replace('T', ' ')} (${ago(atMs)})`
}

/** `12,345`. */
export const count = (number: number) => number.toLocaleString('en')

/** `1 event`, `12,345 events`. */
export const counted = (number: number, noun: string) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`
