// A store that is away is no fault of the event that needs it.
import { type Cancellation, type Clock, EventspineError } from '../kernel/index.js'

const unavailablePollMs = 250

/** Asks a store that is away again until the attempt ends: it is no fault of the event, and costs no attempt. */
export async function persistently<Result>(
  clock: Clock,
  cancellation: Pick<Cancellation, 'cancelled'>,
  work: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const away = error instanceof EventspineError && error.code === 'UNAVAILABLE'
      if (!away || cancellation.cancelled) throw error
      await clock.sleep(unavailablePollMs)
    }
  }
}
