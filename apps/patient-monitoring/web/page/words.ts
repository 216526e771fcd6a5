// How priorities, ages and scores are said. A priority has its sign and its word beside its colour: IEC 60601-1-8 knows them by one, two
// and three exclamation marks.
import type { Priority } from '../../src/rules/limits.js'
import { news2Parts } from '../../src/rules/news2.js'

export const signs: Readonly<Record<Priority, string>> = { high: '!!!', medium: '!!', low: '!' }

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** In steps that grow: a tile is written anew only where its step is another one. */
export function age(ms: number): string {
  if (ms < 10 * second) return 'now'
  if (ms < minute) return `${Math.floor(ms / (10 * second)) * 10} s`
  if (ms < hour) return `${Math.floor(ms / minute)} min`
  return ms < 48 * hour ? `${Math.floor(ms / hour)} h` : `${Math.floor(ms / (24 * hour))} d`
}

/** A score of which more is missing than known says nothing of a low risk. */
const missingMax = news2Parts.length / 2

/** Of what is known: where parts are missing, it is at least so much. */
export function riskInWords(response: string | null, missing: readonly string[]): string {
  if (response === null) return 'no NEWS2 yet'
  if (response === 'high' || missing.length === 0) return `${response} risk`
  if (response === 'low' && missing.length > missingMax) return 'risk not known'
  return `at least ${response}`
}

export const trendOf = (trend: number) => (trend === 0 ? '→' : trend > 0 ? `↑${trend}` : `↓${-trend}`)

export const trendInWords = (trend: number) =>
  trend === 0 ? 'as an hour ago' : `${Math.abs(trend)} ${trend > 0 ? 'more' : 'less'} than an hour ago`

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false })
const day = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
})

export const timeOf = (at: Date | string | number) => clock.format(new Date(at))
const dayMs = 24 * hour

/** The time alone says enough of what was in the last twelve hours. */
export const whenOf = (at: string | number, nowMs: number) =>
  nowMs - new Date(at).getTime() < dayMs / 2 ? timeOf(at) : dayAndTimeOf(at)

export const dayAndTimeOf = (at: Date | string | number) => day.format(new Date(at))

export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`
