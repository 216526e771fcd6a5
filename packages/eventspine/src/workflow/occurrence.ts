// Looks in the log for the event that a call waits for. The router only says that there is one: whether it came before
// the call or after it, it is found here.
import type { Event } from '../event/event.js'
import type { StoredEvent } from '../event/stored.js'
import { persistently } from '../handle/index.js'
import type { Cancellation, Clock } from '../kernel/index.js'
import { jsonOf } from './attempt.js'
import type { Call } from './call.js'
import { MisuseError } from './errors.js'
import { type Occurrences, occurrencesMax, type WorkflowPort } from './port.js'

export interface LookServices {
  readonly clock: Clock
  readonly cancellation: Cancellation
  readonly port: Pick<WorkflowPort, 'occurrences'>
  /** As handlers see it. Rejects what cannot be read. */
  show(event: StoredEvent, cancellation: Cancellation): Promise<Event>
}

// A promise is true, whatever it comes to.
function takes(where: (event: Event) => unknown, event: Event): boolean {
  const answer = where(event)
  if (!(answer instanceof Promise)) return Boolean(answer)
  answer.catch(() => {})
  throw new MisuseError(
    'The "where" of ctx.waitFor answers a promise. It must judge the event at once: where: (event) => …',
  )
}

/** It was let into the log: what an app allows there, with its envelope. */
const eventBytesMax = 16 * 1024 * 1024

/** The JSON of the event; undefined when there is none yet. */
export async function occurrence(
  call: Call,
  asked: Pick<Occurrences, 'tenant' | 'since' | 'taken'>,
  { clock, cancellation, port, show }: LookServices,
): Promise<string | undefined> {
  const { key, where } = call.asked.awaited as NonNullable<typeof call.asked.awaited>
  for (let after = 0; ; ) {
    const page = { ...asked, type: call.name, key, after }
    const found = await persistently(clock, cancellation, () => port.occurrences(page))
    for (const stored of found) {
      const json = jsonOf(`event "${call.name}"`, await show(stored, cancellation), eventBytesMax) as string
      // It judges what the code will be given, now and when it runs again.
      if (takes(where, JSON.parse(json) as Event)) return json
      after = stored.seq
    }
    if (found.length < occurrencesMax) return undefined
  }
}
