// Seeing and steering one cell. What changes anything names its actor, and leaves an audit row in the same transaction.

import type { BreakerState, WorkerRow } from '../deliver/port.js'
import type { Preparation, StoredEvent } from '../event/index.js'
import type { Runner } from '../handle/index.js'
import {
  type AuditQuery,
  type AuditRow,
  type DoctorReport,
  diagnose,
  type EventQuery,
  type EventView,
  type Handling,
  type Overview,
  overviewOf,
  type Page,
  type PageRequest,
  type Remaining,
  type SubscriptionView,
  type Trace,
  viewOf,
} from '../inspect/index.js'
import { type Clock, closest, EventspineError, type Random, uuidv7 } from '../kernel/index.js'
import {
  checkName,
  checkReason,
  checkRounds,
  checkText,
  completeRedrive,
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterGroup,
  type DeadLetterState,
  type Redrive,
  type RedrivePreview,
  type RedriveRequest,
  type Replay,
  type ReplayRequest,
} from '../redrive/index.js'
import type { TablePlan } from '../source/index.js'
import type { Store } from '../store/store.js'
import { Access } from './access.js'
import type { App } from './app.js'
import { Contracts } from './contracts.js'
import { checkEditedData } from './edited-data.js'
import { type EventDetails, eventDetails } from './event-details.js'
import { examine } from './examination.js'
import { refuseHalting } from './halting-letters.js'
import { letterEdit } from './letter-edit.js'
import { redriveHint } from './redriving.js'
import { previewReplay, type ReplayPreview, startReplay } from './replays.js'
import { type SystemMap, systemMap } from './system-map.js'
import { lookAt } from './system-map-look.js'
import { definedOn, type MappedApp } from './system-map-names.js'
import { traceOf } from './tracing.js'
import { Webhooks } from './webhooks.js'

/** Which of the breakers of a downstream: where tenants or keys have their own, whose. */
export interface BreakerPlace {
  readonly name: string
  readonly tenant?: string
  readonly key?: string
}

export interface OperatorServices {
  readonly store: Store
  readonly app: Pick<App, 'name' | 'registry'> & MappedApp
  /** Sources of the app that workers run in this cell. */
  readonly sources: readonly string[]
  /** Table sources of the app in this cell. */
  readonly tables: readonly TablePlan[]
  readonly runner: Pick<Runner, 'body'>
  readonly clock: Clock
  readonly random: Random
  readonly preparation: Preparation
  /** Fingerprints of the keys that this process has for those of persons. */
  readonly masters: readonly string[]
  /** Consumers that run in this process. */
  live(): readonly {
    readonly subscription: { readonly name: string }
    readonly gate: { readonly batch: { readonly events: number } }
  }[]
}

const pauseMsMax = 120_000
const pausePollMs = 50
const breakerCooldownMs = 3_600_000

export class Operator {
  readonly #services: OperatorServices
  /** What the events of this cell look like, and what a deployment would break. */
  readonly contracts: Contracts
  /** Endpoints of webhooks that fail or are disabled. */
  readonly webhooks: Webhooks
  /** API keys and sessions that all servers of this log share. */
  readonly access: Access

  constructor(services: OperatorServices) {
    this.#services = services
    this.contracts = new Contracts(services)
    this.webhooks = new Webhooks(services)
    this.access = new Access(services)
  }

  // ── events ──

  /** Newest first, or from the cursor on in the order of the log: then the cursor is never null. */
  async events(query: EventQuery = {}): Promise<Page<EventView>> {
    const page = await this.#services.store.events(query)
    return { items: await Promise.all(page.items.map((event) => this.#view(event))), cursor: page.cursor }
  }

  /** How much of the log a reader in its order has not seen, and the cursor that passes it over. */
  eventsRemaining(query: EventQuery): Promise<Remaining> {
    return this.#services.store.remaining(query)
  }

  /** One event with all its deliveries and its causal tree; null when there is none. */
  event(id: string, tenant?: string): Promise<EventDetails | null> {
    return eventDetails(this.#services.store, (event) => this.#view(event), id, tenant)
  }

  /** One event with all that it came from and led to, every attempt of it; null when there is none. At most about 1,000 spans. */
  async trace(id: string, tenant?: string): Promise<Trace | null> {
    const { store } = this.#services
    const event = await store.event(id, tenant)
    return event === null ? null : await traceOf(store, event)
  }

  async #view(event: StoredEvent): Promise<EventView> {
    const body = this.#services.runner.body(event)
    return viewOf(
      event,
      await body.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error)))),
    )
  }

  // ── subscriptions ──

  subscriptions(): Promise<readonly SubscriptionView[]> {
    return this.#services.store.subscriptions()
  }

  /** One of them; null when there is none of that name. */
  async subscription(name: string): Promise<SubscriptionView | null> {
    const [view] = await this.#services.store.subscriptions(name)
    return view ?? null
  }

  /** How each handles now and lately: what runs, what waits for a retry, and how long an attempt takes. */
  handling(): Promise<readonly Handling[]> {
    return this.#services.store.handling()
  }

  /** Resolves once no attempt can start any more. Throws NOT_FOUND, or UNAVAILABLE when a worker does not let go. */
  async pause(name: string, actor: string, reason?: string): Promise<void> {
    const { store, clock } = this.#services
    checkName('actor', actor)
    checkReason(reason)
    for (const until = clock.monotonic() + pauseMsMax; ; await clock.sleep(pausePollMs)) {
      if ((await store.pause(name, actor, reason)) === 0) return
      if (clock.monotonic() > until) throw await this.#notLetGo(name)
    }
  }

  async #notLetGo(name: string): Promise<EventspineError> {
    const [subscription, workers] = await Promise.all([this.subscription(name), this.workers()])
    const owners = subscription?.owners ?? []
    const holders = owners.map((owner) => {
      const worker = workers.find((each) => each.id === owner)
      return worker === undefined ? owner : `process ${worker.processId} on ${worker.host} (worker ${owner})`
    })
    const message = `"${name}" is marked as paused, but a handler of it still runs after ${pauseMsMax / 1000} s in ${holders.join(', ') || 'a replay'}. Ask again, or stop that process.`
    return new EventspineError('UNAVAILABLE', message, { retryAfterMs: 5_000 })
  }

  async resume(name: string, actor: string, reason?: string): Promise<void> {
    await this.#services.store.resume(name, checkName('actor', actor), checkReason(reason))
  }

  /** Forgets a subscription that is gone from the code: pauses it, then removes its cursor and open rows and discards
   *  its dead letters, all counted in the audit. One that an app still defines begins anew at that app's next start. */
  async removeSubscription(name: string, actor: string, reason?: string): Promise<void> {
    const { store, clock } = this.#services
    // Whoever resumes it between the two comes too late all the same: it is paused once more.
    for (const until = clock.monotonic() + pauseMsMax; ; ) {
      await this.pause(name, actor, reason)
      if (await store.remove(name, actor, reason)) return
      if (clock.monotonic() > until) throw await this.#notLetGo(name)
    }
  }

  // ── dead letters, redrive, replay ──

  deadLetters(
    query: DeadLetterFilter & PageRequest & { readonly state?: DeadLetterState } = {},
  ): Promise<Page<DeadLetter>> {
    return this.#services.store.deadLetters(query)
  }

  /** With its data wherever they lie: null where the object store does not have them, or does not answer. */
  async deadLetter(id: string): Promise<DeadLetter | null> {
    const { store, runner } = this.#services
    const letter = await store.deadLetter(id)
    if (letter === null || letter.event.claim === null || letter.event.data !== null) return letter
    const body = runner.body({ data: null, claim: letter.event.claim })
    const data = await body.then((json): unknown => JSON.parse(json)).catch(() => null)
    return { ...letter, event: { ...letter.event, data } }
  }

  /** What is unresolved, by subscription, category and fault, the largest group first. */
  deadLetterGroups(filter: DeadLetterFilter = {}): Promise<readonly DeadLetterGroup[]> {
    return this.#services.store.deadLetterGroups(filter)
  }

  /** Gives dead letters up for good. Answers how many. Throws REQUEST_INVALID where one halts an instance of a workflow: without it
   *  nobody would move that on. */
  async discard(filter: DeadLetterFilter, actor: string, reason: string): Promise<number> {
    checkName('actor', actor)
    checkText('reason', reason)
    await refuseHalting(this.#services.store, filter)
    return this.#services.store.discard(filter, actor, reason)
  }

  async previewRedrive(filter: DeadLetterFilter, roundsMax?: number): Promise<RedrivePreview> {
    return this.#services.store.previewRedrive(filter, checkRounds(roundsMax))
  }

  /** Sends dead letters again. Edited data must fit the event's schema, and needs a filter that selects one letter: throws
   *  LETTER_CHANGED if that was sent or discarded since (since its `round`, where the filter names it). What throws stores nothing. */
  async redrive(request: RedriveRequest): Promise<Redrive> {
    const { store, clock, random } = this.#services
    const complete = completeRedrive(request, null)
    await this.#requireSubscription(request.filter.subscription)
    const edits = request.data !== undefined
    const redrive = await store.createRedrive(
      uuidv7(clock, random),
      edits ? { ...complete, ...(await letterEdit(this.#services, request.filter, request.data)) } : complete,
    )
    store.notify(redriveHint)
    return redrive
  }

  // A name that is wrong would select nothing, and look like success. One that is gone from the code is known by its rows.
  async #requireSubscription(name: string | undefined): Promise<void> {
    const { store, app } = this.#services
    if (name === undefined || app.subscriptions.some((each) => each.name === name)) return
    if ((await this.subscription(name)) !== null) return
    if ((await store.deadLetters({ subscription: name, limit: 1 })).items.length > 0) return
    const near = closest(
      name,
      app.subscriptions.map((each) => each.name),
    )
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`
    throw new EventspineError('NOT_FOUND', `There is no subscription "${name}".${hint}`, {
      field: '/filter/subscription',
    })
  }

  /** Whether a redrive would take these data in the place of the letter's. Stores nothing. Throws EVENT_INVALID, with the field. */
  checkEdit(letter: DeadLetter, data: unknown): Promise<void> {
    return checkEditedData(this.#services, letter, data)
  }

  redriveStatus(id: string): Promise<Redrive | null> {
    return this.#services.store.redrive(id)
  }

  redrives(page: PageRequest = {}): Promise<Page<Redrive>> {
    return this.#services.store.redrives(page)
  }

  /** What was sent goes on; the rest stays dead. */
  async stopRedrive(id: string, actor: string, reason?: string): Promise<Redrive> {
    return this.#services.store.stopRedrive(id, checkName('actor', actor), checkReason(reason))
  }

  /** What a replay from there would deliver, so far as a bounded look tells. Throws NOT_FOUND. */
  previewReplay(request: Pick<ReplayRequest, 'subscription' | 'from'>): Promise<ReplayPreview> {
    return previewReplay(this.#services, request)
  }

  /** Delivers history again to one subscription and to no other. Throws REPLAY_REFUSED for a handler that calls the
   *  world unless `external: true` names it. */
  replay(request: ReplayRequest): Promise<Replay> {
    return startReplay(this.#services, request)
  }

  replayStatus(id: string): Promise<Replay | null> {
    return this.#services.store.replay(id)
  }

  replays(page: PageRequest = {}): Promise<Page<Replay>> {
    return this.#services.store.replays(page)
  }

  /** What was delivered stays so; the rest of the range is passed over. Safe to do twice. Throws NOT_FOUND. */
  async stopReplay(id: string, actor: string, reason?: string): Promise<Replay> {
    return this.#services.store.stopReplay(id, checkName('actor', actor), checkReason(reason))
  }

  // ── workers, breakers, health ──

  workers(): Promise<readonly WorkerRow[]> {
    return this.#services.store.workers()
  }

  breakers(): Promise<readonly BreakerState[]> {
    return this.#services.store.breakers()
  }

  /** An operator's hand on a breaker: open holds its work for an hour or until it is closed. Throws NOT_FOUND for one
   *  that no subscription of this app declares and that never counted a failure. */
  async setBreaker(
    { name, tenant = '', key = '' }: BreakerPlace,
    state: 'open' | 'closed',
    actor: string,
    reason?: string,
  ): Promise<void> {
    checkName('name', name)
    if (tenant !== '') checkName('tenant', tenant)
    if (key !== '') checkName('key', key)
    await this.#requireBreaker(name)
    const breaker = { name, tenant, key }
    const [by, why] = [checkName('actor', actor), checkReason(reason)]
    await this.#services.store.breakerSet(breaker, state, breakerCooldownMs, by, why)
  }

  // One that never failed has no row yet; then the app says what there is.
  async #requireBreaker(name: string): Promise<void> {
    const declared = this.#services.app.subscriptions.flatMap(({ breaker }) => breaker?.name ?? [])
    const known = [...new Set([...declared, ...(await this.breakers()).map((each) => each.name)])].sort()
    if (known.includes(name)) return
    const near = closest(name, known)
    const hint = near === undefined ? `Known: ${known.join(', ') || 'none'}.` : `Did you mean "${near}"?`
    throw new EventspineError('NOT_FOUND', `There is no breaker "${name}". ${hint}`, { field: '/name' })
  }

  /** Who did what, newest first. Throws REQUEST_INVALID. */
  audit(query: AuditQuery = {}): Promise<Page<AuditRow>> {
    return this.#services.store.audit(query)
  }

  /** One act; null when there is none of this id. */
  async auditEntry(id: number): Promise<AuditRow | null> {
    return (await this.audit({ id, limit: 1 })).items[0] ?? null
  }

  /** Judges the cell: for each subscription matched = completed + retrying + dead + skipped, and what is wrong. */
  async doctor(): Promise<DoctorReport> {
    return diagnose(await examine(this.#services))
  }

  /** The state of the cell at one moment, with counters whose differences are rates. */
  async overview(): Promise<Overview> {
    const [seen, tally] = await Promise.all([examine(this.#services), this.#services.store.tally()])
    return overviewOf({ seen, tally })
  }

  /** Who takes which events, of all apps on the log, and who published the newest: 1,000 of the log, 20 of each rarer type. */
  async map(): Promise<SystemMap> {
    const { app, store } = this.#services
    const [views, breakers] = await Promise.all([store.subscriptions(), store.breakers()])
    const defined = definedOn(app, views)
    return { app: app.name, ...systemMap(defined, await lookAt(store, defined), views, breakers) }
  }

  ping(): Promise<void> {
    return this.#services.store.ping()
  }
}
