// History delivered again to one subscription: a look at what that would be, and the start of it.
import type { ResolvedSubscription } from '../deliver/subscription.js'
import type { StoredEvent } from '../event/stored.js'
import { eventFor } from '../handle/index.js'
import type { EventQuery } from '../inspect/index.js'
import { EventspineError, uuidv7 } from '../kernel/index.js'
import { checkName, checkReason, type Replay, type ReplayRequest } from '../redrive/index.js'
import type { OperatorServices } from './operator.js'
import { redriveHint } from './redriving.js'

/** What a replay would deliver, as far as it was looked at. */
export interface ReplayPreview {
  /** Those of the events looked at that the subscription takes. */
  readonly events: number
  /** Events looked at, from the start on: the first 100,000 or so, of a subscription with a filter 2,000, and fewer where these
   *  are large. */
  readonly scanned: number
  /** Events of the log behind those, whatever they are; beyond 100,000 an estimate. 0: `events` is all. */
  readonly beyond: number
}

/** A filter wants to see each body, and some of them lie in an object store. */
const filteredMax = 2_000
/** Bodies read for one look, in characters. */
const charactersMax = 16 * 1024 * 1024
const pageEventsMax = 250

/** Throws NOT_FOUND for a subscription that the app does not define. */
export async function previewReplay(
  services: OperatorServices,
  { subscription: name, from = 'beginning' }: Pick<ReplayRequest, 'subscription' | 'from'>,
): Promise<ReplayPreview> {
  const subscription = definedIn(services.app, name)
  const start = from === 'beginning' ? {} : { after: from }
  return subscription.filter === undefined
    ? previewOfTypes(services, subscription, start)
    : previewOfFilter(services, subscription, start)
}

// No body is read for it: 100,000 events are counted in 0.3 s, where to read 10,000 took 1.4 s and more.
async function previewOfTypes(
  { store }: OperatorServices,
  { matches }: ResolvedSubscription,
  start: Pick<EventQuery, 'after'>,
): Promise<ReplayPreview> {
  const { types, beyond } = await store.remainingTypes(start)
  const sum = (counted: typeof types) => counted.reduce((total, each) => total + each.events, 0)
  return { events: sum(types.filter(({ type }) => matches(type))), scanned: sum(types), beyond }
}

async function previewOfFilter(
  { store, runner }: OperatorServices,
  subscription: ResolvedSubscription,
  start: Pick<EventQuery, 'after'>,
): Promise<ReplayPreview> {
  let query: EventQuery = { order: 'oldest', ...start }
  let [events, scanned, characters] = [0, 0, 0]
  while (scanned < filteredMax && characters < charactersMax) {
    const limit = Math.min(pageEventsMax, filteredMax - scanned)
    const { items, cursor } = await store.events({ ...query, limit })
    const taken = await Promise.all(items.map((event) => wants(subscription, event, runner)))
    events += taken.filter(Boolean).length
    scanned += items.length
    for (const { data } of items) characters += data?.length ?? 0
    query = { ...query, ...(cursor !== null && { cursor }) }
    if (items.length < limit) break
  }
  const { events: beyond } = await store.remaining(query)
  return { events, scanned, beyond }
}

async function wants(
  { matches, filter }: ResolvedSubscription,
  event: StoredEvent,
  runner: OperatorServices['runner'],
): Promise<boolean> {
  if (!matches(event.type)) return false
  if (filter === undefined) return true
  // As workers ask it: the event as it is stored. One whose body cannot be read counts: nobody knows that it is not taken.
  const seen = await runner
    .body(event)
    .then((body) => eventFor(event, JSON.parse(body)))
    .catch(() => undefined)
  return seen === undefined || filter.matches(seen)
}

/** Throws NOT_FOUND, or REPLAY_REFUSED for a handler that calls the world unless `external: true` names it. */
export async function startReplay(services: OperatorServices, request: ReplayRequest): Promise<Replay> {
  const { store, app, clock, random } = services
  checkName('actor', request.actor)
  checkReason(request.reason)
  const { name, external } = definedIn(app, request.subscription)
  if (external && request.external !== true) {
    const message = `The handler of "${name}" may call the world: a replay would send e-mails and payments again. Pass external: true (--external) if it may, or declare external: false on the subscription.`
    throw new EventspineError('REPLAY_REFUSED', message, { field: '/external' })
  }
  const replay = await store.createReplay(uuidv7(clock, random), request)
  store.notify(redriveHint)
  return replay
}

function definedIn({ subscriptions }: OperatorServices['app'], name: string): ResolvedSubscription {
  const subscription = subscriptions.find((each) => each.name === name)
  if (subscription !== undefined) return subscription
  const known = subscriptions.map((each) => each.name).join(', ') || 'none'
  const message = `This app defines no subscription "${name}". Defined: ${known}.`
  throw new EventspineError('NOT_FOUND', message, { field: '/subscription' })
}
