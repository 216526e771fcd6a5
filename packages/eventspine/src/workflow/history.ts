// The entries of one instance: those that the store has, and those that are on their way to it.
import type { AnyWorkflow } from './definition.js'
import type { Entry, EntryKind } from './port.js'
import type { SignalData } from './stimulus.js'

/** An entry before it has its place and time. */
export interface Said {
  readonly kind: EntryKind
  readonly place?: string
  readonly name?: string
  readonly data?: unknown
  /** Instead of `data`, where it is JSON already. */
  readonly json?: string | null
}

/** An entry as people see it. */
export interface HistoryEntry extends Omit<Entry, 'data'> {
  readonly data: unknown
}

export const shownHistory = (entries: readonly Entry[]): readonly HistoryEntry[] =>
  entries.map((entry) => ({ ...entry, data: entry.data === null ? null : JSON.parse(entry.data) }))

/** A decision, marked where its question is not asked any more. Signals as they are. */
export function judgedDecision(said: Said, asks: (approval: string, place: string) => boolean): Said {
  const { question } = (said.data ?? {}) as Partial<SignalData>
  if (said.kind !== 'signal' || question === undefined || asks(said.name ?? '', question)) return said
  return { ...said, data: { ...(said.data as object), dropped: true } }
}

export class History {
  readonly #entries: Entry[]
  #recorded: number

  constructor(recorded: readonly Entry[]) {
    this.#entries = [...recorded]
    this.#recorded = recorded.length
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  get length(): number {
    return this.#entries.length
  }

  /** How many the store has. */
  get recorded(): number {
    return this.#recorded
  }

  append({ kind, place = '', name = '', data, json }: Said, atMs: number): Entry {
    const last = this.#entries.at(-1)?.atMs ?? 0
    const entry: Entry = {
      position: this.#entries.length,
      ...{ kind, place, name },
      data: json ?? (data === undefined ? null : JSON.stringify(data)),
      // Time does not go back for the code, whichever process tells it, and has no more digits than are kept of it.
      atMs: Math.max(last, Math.ceil(atMs)),
    }
    this.#entries.push(entry)
    return entry
  }

  /** The store may have something that it waits for from outside: an event, or the decision of a person. */
  mayAwait({ waitsFor }: Pick<AnyWorkflow, 'waitsFor'>): boolean {
    const known = this.#entries.slice(0, this.#recorded)
    return known.length > 0 && (waitsFor.length > 0 || known.some(({ kind }) => kind === 'asked'))
  }

  /** What the store does not have. */
  unrecorded(): readonly Entry[] {
    return this.#entries.slice(this.#recorded)
  }

  recordedUpTo(length: number): void {
    this.#recorded = length
  }
}

export const dataOf = <Data>({ data }: Entry): Data => (data === null ? undefined : JSON.parse(data)) as Data

/** Of an end: what the code answered. */
export const completedOf = (json: string | null) => ({
  state: 'completed',
  ...(json === null ? {} : { output: JSON.parse(json) as unknown }),
})
