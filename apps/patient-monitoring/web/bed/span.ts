// The time that is looked at: its length, its end, and whether it goes along with the clock.

const hourMs = 3_600_000
export const lengths = [48 * hourMs, 12 * hourMs, 3 * hourMs, hourMs] as const

export interface Span {
  readonly lengthMs: number
  /** Null: now. */
  readonly endMs: number | null
}

export const wholeStay: Span = { lengthMs: lengths[0], endMs: null }

/** Of the hours while several days are looked at; of the minutes below that. */
export const grainOf = ({ lengthMs }: Span) => (lengthMs > lengths[1] ? 'hour' : 'minute')

export function around({ lengthMs }: Span, atMs: number, nowMs: number): Span {
  const shorter = lengths.find((each) => each < lengthMs) ?? lengthMs
  return ended(shorter, atMs + shorter / 2, nowMs)
}

export const moved = ({ lengthMs, endMs }: Span, by: -1 | 1, nowMs: number): Span =>
  ended(lengthMs, (endMs ?? nowMs) + (by * lengthMs) / 2, nowMs)

const ended = (lengthMs: number, endMs: number, nowMs: number): Span => ({
  lengthMs,
  endMs: endMs >= nowMs ? null : endMs,
})

/** As an address has it: hours, and the moment at which it ends. What it does not say, or what cannot be, is that of the whole stay. */
export function spanOf(hours: string | null, until: string | null): Span {
  const lengthMs = lengths.find((each) => each === Number(hours) * hourMs) ?? wholeStay.lengthMs
  const endMs = Date.parse(until ?? '')
  return { lengthMs, endMs: endMs > 0 ? endMs : null }
}
