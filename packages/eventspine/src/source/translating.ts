// What all translations of messages have in common: how long one may take, and which faults say nothing of the message.
import { TimeoutError } from '../handle/index.js'
import { type Clock, EventspineError } from '../kernel/index.js'

const deadlineMs = 30_000
const passing = new Set(['OVERLOADED', 'UNAVAILABLE', 'UNKNOWN_OUTCOME', 'NOT_STARTED', 'STOPPED'])

/** The sender is to come again: nothing is wrong with the message. */
export const isPassing = (error: unknown): error is EventspineError =>
  error instanceof EventspineError && passing.has(error.code)

/** How a message that was not taken is counted: its sender is wrong, or asked for too much at once, or comes again when the log is
 *  back. */
export function refusalOf(error: unknown): 'refused' | 'overloaded' | 'unavailable' {
  if (!isPassing(error)) return 'refused'
  return error.code === 'OVERLOADED' ? 'overloaded' : 'unavailable'
}

/** Rejects with a TimeoutError when a translation does not end in 30 s: its place would be taken for ever. */
export async function within<Value>(clock: Clock, translation: Promise<Value>): Promise<Value> {
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(deadlineMs, () =>
      reject(
        new TimeoutError(
          `The translation did not end within ${deadlineMs / 1_000} s. Let it only translate.`,
        ),
      ),
    )
  })
  try {
    return await Promise.race([translation, late])
  } finally {
    cancel()
  }
}
