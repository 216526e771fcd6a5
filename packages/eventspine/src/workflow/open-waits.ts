// What an instance waits for from outside and did not get yet, read from its history. Questions to people stand in
// approval-standing.ts.
import { dataOf } from './history.js'
import type { Entry } from './port.js'
import type { SignalData } from './stimulus.js'

export interface OpenWait {
  readonly kind: 'signal' | 'event'
  /** Of the signal; of an event its type. */
  readonly name: string
  /** Of an event: the key that it must have. */
  readonly key?: string
  /** Which call of the workflow's code waits, by its place in the history. */
  readonly place: string
  readonly sinceAtMs: number
  /** When it waits no more, by the database's clock; null where it waits for as long as it takes. */
  readonly dueAtMs: number | null
}

const ends: ReadonlySet<string> = new Set(['occurred', 'event-claimed', 'timer-fired', 'withdrawn'])

/** In the order in which its code came to them. None of an instance that undoes or has ended. */
export function openWaits(history: readonly Entry[]): readonly OpenWait[] {
  const open = new Map<string, OpenWait>()
  for (const entry of history) {
    const { kind, place, name, atMs: sinceAtMs } = entry
    const wait = open.get(place)
    if (kind === 'waiting') {
      const { key } = dataOf<{ readonly key?: string } | undefined>(entry) ?? {}
      const what = key === undefined ? ({ kind: 'signal' } as const) : ({ kind: 'event', key } as const)
      open.set(place, { ...what, name, place, sinceAtMs, dueAtMs: null })
    } else if (kind === 'timer-set' && wait !== undefined)
      open.set(place, { ...wait, dueAtMs: dataOf<{ readonly dueAtMs: number }>(entry).dueAtMs })
    else if (kind === 'signal') takenBy(open, entry)
    else if (kind === 'compensating' || kind === 'ended') open.clear()
    else if (ends.has(kind)) open.delete(place)
  }
  return [...open.values()]
}

// Whoever came first takes it, as in the inbox. A decision answers a question.
function takenBy(open: Map<string, OpenWait>, signal: Entry): void {
  if (dataOf<Partial<SignalData> | undefined>(signal)?.question !== undefined) return
  const taker = [...open.values()].find(({ kind, name }) => kind === 'signal' && name === signal.name)
  if (taker !== undefined) open.delete(taker.place)
}
