// Reads the log in its order, page by page, for one reader of the stream.
import type { EventQuery, EventView, Operator, Remaining } from 'eventspine'
import { placeText, type TailPlace } from './place.js'

/** Events held in memory for one reader, besides what its socket holds. */
export const pageEventsMax = 32

const endOfDays = new Date('9999-12-31T00:00:00Z')

export interface TailStart {
  readonly place: TailPlace | undefined
  readonly from: 'now' | 'beginning'
  /** `all` misses none; `live` is brought to what is newest when it cannot keep up. */
  readonly pace: 'all' | 'live'
}

export interface TailMessage {
  readonly id: string
  readonly event: EventView
}

export class TailReader {
  readonly #operator: Operator
  readonly #query: EventQuery
  #cursor: string | undefined
  #skipThrough: string | undefined

  constructor(operator: Operator, query: EventQuery, place: TailPlace | undefined) {
    this.#operator = operator
    this.#query = { ...query, order: 'oldest' }
    this.#cursor = place?.cursor
    this.#skipThrough = place?.eventId
  }

  /** The first messages. Throws what the operator throws, such as REQUEST_INVALID for a cursor that is none. */
  async begin(from: TailStart['from']): Promise<TailMessage[]> {
    if (this.#cursor !== undefined) return this.next()
    // One event at most: then every message from here on has a cursor in front of it. For `now` it is the end of the
    // log that is wanted, whatever the clocks say: nothing is recorded after the end of days.
    const start = from === 'now' ? { after: endOfDays } : {}
    const page = await this.#operator.events({ ...this.#query, ...start, limit: 1 })
    this.#cursor = page.cursor ?? undefined
    return page.items.map((event) => ({ id: this.#cursor ?? '', event }))
  }

  /** What follows; empty when there is nothing yet. */
  async next(): Promise<TailMessage[]> {
    const before = this.#cursor
    const page = await this.#operator.events({
      ...this.#query,
      ...(before === undefined ? {} : { cursor: before }),
      limit: pageEventsMax,
    })
    this.#cursor = page.cursor ?? before
    const last = page.items.length - 1
    const messages = page.items.map((event, at) => ({
      id: placeText((at === last ? this.#cursor : before) ?? '', at === last ? undefined : event.id),
      event,
    }))
    return this.#unseen(messages)
  }

  /** Goes to the end of the log, and tells what it passed over. */
  async passOver(): Promise<Remaining> {
    const { order: _order, ...query } = this.#query
    const passed = await this.#operator.eventsRemaining({
      ...query,
      ...(this.#cursor === undefined ? {} : { cursor: this.#cursor }),
    })
    this.#cursor = passed.cursor
    return passed
  }

  #unseen(messages: TailMessage[]): TailMessage[] {
    const seen = messages.findIndex(({ event }) => event.id === this.#skipThrough)
    this.#skipThrough = undefined
    return messages.slice(seen + 1)
  }
}
