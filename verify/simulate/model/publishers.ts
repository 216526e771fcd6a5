// The publishers of a sequence: events under names of their own or under taken ids, and transactions that stay open.
import type { NewEvent } from '../engine.js'
import { type Choices, tenants } from './choices.js'
import type { ModelStore, OpenTransaction } from './stores.js'

const keys = ['a', 'b', null]
const transactionsMax = 3

interface Slot {
  readonly transaction: OpenTransaction
  readonly ids: Set<string>
}

const identityOf = ({ tenant, id }: NewEvent) => `${tenant} ${id}`

export class Publishers {
  readonly #made: ModelStore
  readonly #slots: Slot[] = []
  #named = 0

  constructor(made: ModelStore) {
    this.#made = made
  }

  events(choose: Choices, own?: Slot): NewEvent[] {
    const used = new Set<string>()
    const taken = (identity: string) => used.has(identity) || this.#isHeld(identity, own)
    return Array.from({ length: choose.between(1, 3) }, () => {
      const event = this.#event(choose)
      const identity = identityOf(event)
      // One that waits for another open transaction would wait for ever here.
      if (event.fingerprint === null || taken(identity)) return this.#plain(event)
      used.add(identity)
      own?.ids.add(identity)
      return event
    })
  }

  /** What the engine itself says: always under an id of its own. */
  ofEngine(choose: Choices): NewEvent[] {
    return Array.from({ length: choose.between(1, 2) }, () => this.#plain(this.#event(choose)))
  }

  #isHeld(identity: string, own?: Slot): boolean {
    return this.#slots.some((slot) => slot !== own && slot.ids.has(identity))
  }

  /** An id of one of these was written by a transaction that is open. */
  hold(events: readonly NewEvent[]): boolean {
    return events.some((event) => event.fingerprint !== null && this.#isHeld(identityOf(event)))
  }

  #event(choose: Choices): NewEvent {
    const given = choose.next() < 0.5
    const body = `body-${choose.between(1, 2)}`
    return {
      ...{ id: `id-${choose.between(1, 4)}`, type: 'model.happened', version: 1 },
      ...{
        tenant: choose.pick(tenants) ?? 'one',
        source: '/model',
        subject: null,
        key: choose.pick(keys) ?? null,
      },
      ...{
        timeMs: 0,
        data: `{"body":"${body}"}`,
        claim: null,
        correlationId: 'correlation',
        causationId: null,
      },
      ...{ traceparent: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01', extensions: null },
      fingerprint: given ? body : null,
    }
  }

  #plain(event: NewEvent): NewEvent {
    return { ...event, id: `event-${++this.#named}`, fingerprint: null }
  }

  async begin(): Promise<unknown> {
    if (this.#slots.length >= transactionsMax) return 'enough'
    this.#slots.push({ transaction: await this.#made.transaction(), ids: new Set() })
    return this.#slots.length
  }

  async within(choose: Choices): Promise<unknown> {
    const slot = choose.pick(this.#slots)
    if (slot === undefined) return 'none'
    return this.#made.store.appendWithin(slot.transaction.executor, this.events(choose, slot))
  }

  async end(choose: Choices, how: 'commit' | 'rollback'): Promise<unknown> {
    const slot = choose.pick(this.#slots)
    if (slot === undefined) return 'none'
    this.#slots.splice(this.#slots.indexOf(slot), 1)
    await slot.transaction[how]()
    return how
  }

  async stop(): Promise<void> {
    for (const { transaction } of this.#slots.splice(0)) await transaction.rollback()
  }
}
