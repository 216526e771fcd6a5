// How long a redrive takes to send its letters.
import { count, duration } from '../parts/format.js'

/** `rate`: letters a second. Nothing for what is no rate yet, while somebody writes it. */
export function sentWithin(letters: number, rate: number): string {
  if (!Number.isFinite(rate) || rate <= 0) return ''
  const within = duration((letters / rate) * 1_000)
  return `: at ${count(rate)} a second they are sent within about ${within}, besides the time that the canary takes`
}
