// Numbers with units and times, as they are written everywhere in the console.

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

export const count = (value: number) => whole.format(value)

/** `1 dead letter`, `1,200 dead letters`. */
export const counted = (value: number, noun: string) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

interface Lag {
  readonly lagEvents: number
  readonly lagExact: boolean
}

/** What a subscription still has to take: `12 events`, `about 48,000 events`. */
export const behind = ({ lagEvents, lagExact }: Lag) =>
  `${lagExact ? '' : 'about '}${counted(lagEvents, 'event')}`

export const perSecond = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : `${short.format(value)}/s`

const steps: readonly (readonly [limit: number, size: number, unit: string])[] = [
  [60, 1, 's'],
  [3_600, 60, 'min'],
  [86_400, 3_600, 'h'],
  [Number.POSITIVE_INFINITY, 86_400, 'd'],
]

/** `0 ms`, `0.25 ms`, `1.2 s`, `3 min`, `4 h`, `2 d`. */
export function duration(ms: number): string {
  if (ms > 0 && ms < 10) return `${short.format(ms)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const seconds = ms / 1_000
  const [, size, unit] = steps.find(([limit]) => seconds < limit) ?? [0, 86_400, 'd']
  const value = seconds / size
  return `${value < 10 && unit === 's' ? short.format(value) : Math.round(value)} ${unit}`
}

export const seconds = (value: number) => (value < 0.001 ? '0 s' : duration(value * 1_000))

/** `just now`, `3 min ago`, `in 2 h`. */
export function relative(atMs: number, nowMs: number): string {
  const away = nowMs - atMs
  if (Math.abs(away) < 1_000) return 'just now'
  // Tenths of a second would only flicker.
  const wait = duration(Math.floor(Math.abs(away) / 1_000) * 1_000)
  return away > 0 ? `${wait} ago` : `in ${wait}`
}

/** To the millisecond, in the zone of the one who looks. */
export function exact(atMs: number): string {
  const date = new Date(atMs)
  const zone = -date.getTimezoneOffset()
  const local = new Date(atMs + zone * 60_000).toISOString().slice(0, 23).replace('T', ' ')
  const sign = zone < 0 ? '-' : '+'
  const two = (value: number) => String(Math.floor(Math.abs(value))).padStart(2, '0')
  return `${local} UTC${sign}${two(zone / 60)}:${two(zone % 60)}`
}
