// Waiting on conditions, never for a time that somebody guessed.
import { setTimeout as delay } from 'node:timers/promises'

const askEveryMs = 20

/** Asks until `condition` answers something; throws with `what` after `msMax`. */
export async function until<Value>(
  what: string,
  msMax: number,
  condition: () => Value | Promise<Value>,
): Promise<NonNullable<Value>> {
  const end = performance.now() + msMax
  for (;;) {
    const value = await condition()
    if (value) return value as NonNullable<Value>
    if (performance.now() > end) throw new Error(`Not within ${msMax} ms: ${what}`)
    await delay(askEveryMs)
  }
}
