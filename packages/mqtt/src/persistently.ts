// MQTT has no "not now": what was not acknowledged is sent again after the next connection, and not before. So a message that
// the log does not take at the moment is held, and tried again, until it does or its source ends.
import { EventspineError } from 'eventspine'
import type { Receipt, ReceivedMessage, SourceRun } from 'eventspine/source'

const passing = new Set(['UNAVAILABLE', 'OVERLOADED', 'UNKNOWN_OUTCOME'])
const pauseMsMin = 50
const pauseMsMax = 2_000

/** Rejects with STOPPED, with what is wrong with the message, or with what passes once the source is to end. */
export async function receivePersistently(
  { receive, signal, pause }: Pick<SourceRun, 'receive' | 'signal' | 'pause'>,
  message: ReceivedMessage,
): Promise<Receipt> {
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
    try {
      return await receive(message)
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw error
      await pause(pauseMs)
    }
  }
}

const isPassing = (error: unknown) => error instanceof EventspineError && passing.has(error.code)

/** It will never be taken, whoever sends it how often. */
export const isRefused = (error: unknown) =>
  error instanceof EventspineError && (error.code === 'EVENT_TOO_LARGE' || error.code === 'REQUEST_INVALID')
