// What runs under load: many readings for a normal handler, and alarms that must reach theirs all the same.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { z } from 'zod'

export const reading = defineEvent({ type: 'ward.reading', schema: z.object({ n: z.number() }) })
export const alarm = defineEvent({ type: 'ward.alarm', schema: z.object({ sentAtMs: z.number() }) })

/** One clock for all processes of this machine. */
export const monotonicMs = () => Number(process.hrtime.bigint() / 1_000n) / 1_000

/** `onAlarm` gets the milliseconds from the intended moment to the handler. */
export function appWith(onAlarm: (ms: number) => void) {
  const chart = defineSubscription({ name: 'chart', on: reading, handle: () => {}, external: false })
  const alert = defineSubscription({
    name: 'alert',
    on: alarm,
    priority: 'alarm',
    handle: (event) => onAlarm(monotonicMs() - event.data.sentAtMs),
  })
  return defineApp({ name: 'overload', events: [reading, alarm], subscriptions: [chart, alert] })
}
