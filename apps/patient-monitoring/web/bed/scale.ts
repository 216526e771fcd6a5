// From times and values to places in a drawing.

export interface Scale {
  readonly fromMs: number
  readonly toMs: number
  readonly low: number
  readonly high: number
}

export const drawing = { width: 400, height: 100, left: 36, right: 8, top: 8, bottom: 16 } as const

export const xOf = ({ fromMs, toMs }: Scale, atMs: number) =>
  round(drawing.left + ((atMs - fromMs) / (toMs - fromMs)) * (drawing.width - drawing.left - drawing.right))

export const yOf = ({ low, high }: Scale, value: number) =>
  round(
    drawing.height -
      drawing.bottom -
      ((value - low) / (high - low)) * (drawing.height - drawing.top - drawing.bottom),
  )

/** The time at this place. */
export function timeAt({ fromMs, toMs }: Scale, x: number): number {
  const share = (x - drawing.left) / (drawing.width - drawing.left - drawing.right)
  return fromMs + Math.min(1, Math.max(0, share)) * (toMs - fromMs)
}

const round = (value: number) => Math.round(value * 10) / 10

/** With a tenth of air, but never beyond what is possible (`least` and `greatest`, both included): no axis says a saturation of 102 %.
 *  One value alone stands in the middle, unless it is one of these. */
export function extent(
  values: readonly number[],
  [least, greatest]: readonly [number, number],
): { readonly low: number; readonly high: number } {
  if (values.length === 0) return { low: least, high: greatest }
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const air = (high - low) / 10 || Math.max(Math.abs(high) / 20, 0.5)
  return { low: Math.max(least, low - air), high: Math.min(greatest, high + air) }
}

const hourMs = 3_600_000

/** Whole hours, or parts of them, of this zone. */
export function ticksOf({ fromMs, toMs }: Scale): readonly number[] {
  const stepMs =
    [hourMs / 12, hourMs / 4, hourMs, 3 * hourMs, 6 * hourMs, 12 * hourMs].find(
      (step) => (toMs - fromMs) / step <= 6,
    ) ?? 24 * hourMs
  const shiftMs = new Date(fromMs).getTimezoneOffset() * 60_000
  const ticks: number[] = []
  for (let at = Math.ceil((fromMs - shiftMs) / stepMs) * stepMs + shiftMs; at <= toMs; at += stepMs)
    ticks.push(at)
  return ticks
}
