// What runs under load: many readings for a normal handler, and alarms that must reach theirs all the same.
import { defineApp, defineEvent, defineSubscription, retries, TransientError } from 'eventspine'
import { z } from 'zod'

const moment = z.object({ sentAtMs: z.number() })
export const reading = defineEvent({ type: 'ward.reading', schema: z.object({ n: z.number() }) })
/** A reading whose time to the handler is measured. */
export const timed = defineEvent({ type: 'ward.timed', schema: moment })
export const alarm = defineEvent({ type: 'ward.alarm', schema: moment })

/** One clock for all processes of this machine. */
export const monotonicMs = () => Number(process.hrtime.bigint() / 1_000n) / 1_000

/** What the handlers have seen. */
export class Ward {
  /** The target of the readings is away. */
  down = false
  attempts = 0
  failedRetries = 0
  /** From the intended moment to the handler. */
  alarmMs: number[] = []
  timedMs: number[] = []

  read(attempt: number): void {
    this.attempts++
    if (!this.down) return
    if (attempt > 1) this.failedRetries++
    throw new TransientError('the chart is away')
  }
}

export function appOf(ward: Ward) {
  const chart = defineSubscription({
    name: 'chart',
    on: [reading, timed],
    // An outage of minutes must not make dead letters: what is asked is how the retries behave.
    retry: retries.standard({ attemptsMax: 1_000, timeScale: 0.05 }),
    external: false,
    handle: (event, { attempt }) => {
      ward.read(attempt)
      if ('sentAtMs' in event.data) ward.timedMs.push(monotonicMs() - event.data.sentAtMs)
    },
  })
  const alert = defineSubscription({
    name: 'alert',
    on: alarm,
    priority: 'alarm',
    handle: (event) => void ward.alarmMs.push(monotonicMs() - event.data.sentAtMs),
  })
  return defineApp({ name: 'overload', events: [reading, timed, alarm], subscriptions: [chart, alert] })
}
