// `eventspine events tail`: follows the log in its order. The place in the log is kept here, so what comes while the
// database is away is shown when it is back.
import { setTimeout as delay } from 'node:timers/promises'
import type { EventQuery, EventView, Operator } from 'eventspine'
import type { Call } from '../command.js'
import { failureOf } from '../failure.js'
import { type EventFlags, eventFilter } from '../input/event-filter.js'
import type { Session } from '../project/session.js'
import type { Screen } from '../screen/screen.js'
import { bold, dim, fitted, type Text, yellow } from '../screen/text.js'
import { visibleJson } from '../screen/visible.js'

interface TailFlags extends EventFlags {
  readonly beginning?: boolean
  readonly limit?: number
}

const pollMs = 250
const awayMs = 2_000
const pageEventsMax = 100

/** The operation of the command. Ends at Ctrl-C, or after `--limit` events. */
export async function tailEvents(
  { operator, screen }: Session,
  { flags, interruption }: Call<TailFlags>,
): Promise<undefined> {
  const signal = interruption.claim()
  const tail = new Tail(operator, eventFilter(flags))
  await tellWorkers(operator, screen)
  let left = flags.limit ?? Number.POSITIVE_INFINITY
  let page = await tail.begin(flags.beginning === true)
  while (!signal.aborted) {
    for (const event of page.slice(0, left)) screen.entry(event, () => line(event, screen.width))
    left -= page.length
    if (left <= 0) break
    if (page.length === 0) await delay(pollMs, undefined, { signal }).catch(() => {})
    page = await next(tail, screen, signal)
  }
  return undefined
}

// Events get their place in the log from workers: without one nothing would ever come, and nobody would know why.
async function tellWorkers(operator: Operator, screen: Screen): Promise<void> {
  screen.note(dim('Following events as they come. Ctrl-C ends.'))
  if ((await operator.workers()).length > 0) return
  screen.note([yellow('!'), ' No worker is running: new events appear once one does (eventspine worker).'])
}

async function next(tail: Tail, screen: Screen, signal: AbortSignal): Promise<readonly EventView[]> {
  while (!signal.aborted) {
    try {
      return await tail.next()
    } catch (error) {
      const failure = failureOf(error)
      if (failure.code !== 'UNAVAILABLE') throw error
      screen.note([yellow('!'), ` ${failure.message} Trying again.`])
      await delay(awayMs, undefined, { signal }).catch(() => {})
    }
  }
  return []
}

class Tail {
  readonly #operator: Operator
  readonly #query: EventQuery
  #cursor: string | null = null

  constructor(operator: Operator, query: EventQuery) {
    this.#operator = operator
    this.#query = { ...query, order: 'oldest' }
  }

  /** One event at most: from then on there is a cursor in front of everything that comes. */
  begin(fromBeginning: boolean): Promise<readonly EventView[]> {
    return this.#page({ limit: 1, ...(!fromBeginning && { after: new Date() }) })
  }

  next(): Promise<readonly EventView[]> {
    return this.#page({ limit: pageEventsMax, ...(this.#cursor !== null && { cursor: this.#cursor }) })
  }

  async #page(request: EventQuery): Promise<readonly EventView[]> {
    const page = await this.#operator.events({ ...this.#query, ...request })
    this.#cursor = page.cursor ?? this.#cursor
    return page.items
  }
}

function line(event: EventView, width: number): Text {
  const time = event.recordedAt.slice(11, 23)
  const key = event.key === undefined ? '' : ` ${event.key}`
  const text = [dim(time), ' ', bold(event.type), key, ' ', dim(event.id), ' ', visibleJson(event.data)]
  return Number.isFinite(width) ? fitted(text, width) : text
}
