// What a user holds: an app that runs against its cells. Everything else of the library is reached from here.
import { type AppendOutcome, type ClaimPort, executorOf } from '../append/index.js'
import { Capacity } from '../deliver/index.js'
import type { AnyEventDefinition, InputOf, NewEvent } from '../event/index.js'
import { type Preparation, type Published, type PublishOptions, prepare } from '../event/index.js'
import { EventspineError } from '../kernel/index.js'
import { type MetricSample, Metrics, prometheusText } from '../observe/metrics.js'
import { activeTraceparent, publishSpan } from '../observe/trace.js'
import { claimStatements } from '../store/postgres/claim.js'
import { createPostgresStore } from '../store/postgres/postgres-store.js'
import { poster } from '../webhook/index.js'
import type { App } from './app.js'
import { Approvals } from './approvals.js'
import { Cell } from './cell.js'
import { type Health, healthOf } from './health.js'
import { storeSamples } from './measure.js'
import { Operator } from './operator.js'
import {
  type EventspineOptions,
  type ResolvedOptions,
  realSurroundings,
  resolveOptions,
  type Surroundings,
} from './options.js'
import { Personal } from './personal.js'
import {
  answerOf,
  CallSize,
  conflictOf,
  definitionFor,
  distinct,
  type Entry,
  foreign,
  type IncomingEvent,
  indexed,
  isDefinition,
  type Publication,
  unknownCell,
  withTrace,
} from './publication.js'
import { tablePlansOf, timetablesOf } from './residence.js'
import { Schedules } from './schedules.js'
import { Sources } from './sources.js'
import { StallWatch, stallLimitMs } from './stall-watch.js'
import { Workflows } from './workflows.js'

export class Eventspine {
  readonly #options: ResolvedOptions
  readonly #surroundings: Surroundings
  readonly #cells = new Map<string, Cell>()
  readonly #operators = new Map<string, Operator>()
  readonly #metrics = new Metrics()
  readonly #preparation: Preparation
  readonly #stallWatch: StallWatch
  /** Starts, signals, approves and cancels workflows, and shows them. */
  readonly workflows: Workflows
  /** What links to the questions of workflows open: how one stands, and a decision. */
  readonly approvals: Approvals
  /** How far schedules and reconcilers have come. */
  readonly schedules: Schedules
  /** What the log has of a person: shown to them, and erased. */
  readonly personal: Personal
  /** Messages of others, on their way to events. */
  readonly sources: Sources
  #state: 'new' | 'starting' | 'running' | 'stopped' = 'new'
  #stopping: Promise<void> | undefined
  #starting: Promise<void> | undefined

  /** The third argument is for the testing kit. */
  constructor(
    readonly app: App,
    options: EventspineOptions,
    surroundings: Surroundings = realSurroundings,
  ) {
    this.#options = resolveOptions(options, app.name)
    this.#surroundings = surroundings
    const { tenant, source, hardLimitBytes, logger, masterKeys, work } = this.#options
    const { clock, random } = surroundings
    this.#stallWatch = new StallWatch(stallLimitMs(this.#options.stalledMs, app), logger)
    const cellOf = (name: string) => this.#cellOf(name)
    this.personal = new Personal({ app, clock, random, tenant, cellOf, masterKeys, work })
    const known = { registry: app.registry, personal: this.personal, activeTraceparent }
    this.#preparation = { clock, random, tenant, source, hardLimitBytes, ...known }
    this.approvals = new Approvals({ clock, random, cellOf })
    this.workflows = new Workflows({ app, clock, random, tenant, approvals: this.approvals, cellOf })
    this.schedules = new Schedules({ app, clock, random, tenant, cellOf })
    this.sources = new Sources({
      ...{ app, clock, random, logger, metrics: this.#metrics, preparation: this.#preparation },
      shutdownMs: this.#options.shutdownMs,
      publish: ({ event, data, options: given = {} }, append) => this.#publish(event, data, given, append),
      publishMany: (publications) => this.publishMany(publications),
      append: (event) => cellOf(event.tenant).appender.append(event),
      cell: (name) => this.#cellNamed(name),
      cells: () => this.cells,
      placement: this.#options.placement,
    })
    const capacity = new Capacity(this.#options.capacityLimits)
    for (const name of this.#options.cells.keys()) this.#cells.set(name, this.#cell(name, capacity))
  }

  get idempotencyWindowMs(): number {
    return this.#options.idempotencyWindowMs
  }

  /** Names of the cells. */
  get cells(): readonly string[] {
    return [...this.#cells.keys()]
  }

  #cell(name: string, capacity: Capacity): Cell {
    const { logger, idempotencyWindowMs, retention, migrate, contracts, work, shutdownMs, appendLimits } =
      this.#options
    const { store, claim } = this.#surroundings.storeOf?.(name) ?? this.#postgres(name, idempotencyWindowMs)
    const { clock, random } = this.#surroundings
    return new Cell({
      ...{ name, app: this.app, store, claim, logger, retention, migrate, work, shutdownMs, capacity },
      ...{ clock, random, metrics: this.#metrics, preparation: this.#preparation, limits: appendLimits },
      timetables: timetablesOf(name, this.app, this.#options),
      tables: tablePlansOf(name, this.app, this.#options),
      registers: contracts,
      prepare: () => this.#prepare(name),
      retranslate: (...kept) => this.sources.retranslate(...kept),
      post: this.#surroundings.post ?? poster(this.#surroundings.clock),
      expireClaims: () => this.#expireClaims(claim),
    })
  }

  async #prepare(name: string): Promise<void> {
    const databaseUrl = this.#options.cells.get(name)?.url ?? ''
    await this.#options.prepare?.({ cell: name, databaseUrl })
  }

  // Cells that share an object store need what any of them still needs.
  async #expireClaims(claim: ClaimPort): Promise<void> {
    const cells = [...this.#cells.values()].filter((cell) => cell.claim === claim)
    await claim.expire(Math.min(...(await Promise.all(cells.map((cell) => cell.store.claimsNeededSince())))))
  }

  #postgres(name: string, idempotencyWindowMs: number) {
    const cell = this.#options.cells.get(name)
    if (cell === undefined) throw unknownCell(name, this.cells)
    const store = createPostgresStore(
      { ...cell, idempotencyWindowMs, applicationName: `eventspine ${this.app.name}` },
      this.#surroundings.clock,
      this.#options.logger,
    )
    return { store, claim: this.#options.claim ?? claimStatements(store.database) }
  }

  /** Migrates (unless told not to), checks, and begins to deliver. Safe to call twice. */
  async start(): Promise<void> {
    if (this.#state === 'stopped') {
      throw new EventspineError('STOPPED', 'This Eventspine was stopped. Create a new one to start again.')
    }
    this.#starting ??= this.#start()
    await this.#starting
  }

  async #start(): Promise<void> {
    this.#state = 'starting'
    if (this.#options.work) this.#stallWatch.start() // The first cell delivers while others still start.
    try {
      await Promise.all([...this.#cells.values()].map((cell) => cell.start()))
      this.#state = 'running'
      if (this.#options.sources) this.sources.start()
    } catch (error) {
      this.#stallWatch.stop()
      this.#state = 'new'
      this.#starting = undefined
      throw error
    }
  }

  /** Lets running handlers end, records what they did, gives everything back. Safe to call twice, or before start. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    await this.#starting?.catch(() => {})
    await this.sources.stop() // While they can still store what they took.
    this.#state = 'stopped'
    this.#stallWatch.stop()
    await Promise.all([...this.#cells.values()].map((cell) => cell.stop()))
  }

  // ── publishing ──

  /** Resolves when the event is durable. Throws EVENT_INVALID, EVENT_TOO_LARGE, IDEMPOTENCY_CONFLICT, OVERLOADED or
   *  UNAVAILABLE, each before anything is stored. */
  publish<Definition extends AnyEventDefinition>(
    event: Definition,
    data: InputOf<Definition>,
    options?: PublishOptions,
  ): Promise<Published>
  /** Inside the caller's own transaction: the event exists if and only if that commits. */
  publish<Definition extends AnyEventDefinition>(
    transaction: object,
    event: Definition,
    data: InputOf<Definition>,
    options?: PublishOptions,
  ): Promise<Published>
  publish(
    first: AnyEventDefinition | object,
    second: unknown,
    third?: unknown,
    fourth?: PublishOptions,
  ): Promise<Published> {
    if (isDefinition(first)) return this.#publish(first, second, (third ?? {}) as PublishOptions)
    if (isDefinition(second))
      return this.#publish(second, third, fourth ?? {}, async (cell, event) => {
        const outcome = await cell.appender.appendWithin(executorOf(first), event)
        cell.appendedWithin()
        return outcome
      })
    const message =
      'publish takes (event, data, options) or (transaction, event, data, options), where event is made by defineEvent.'
    return Promise.reject(new EventspineError('REQUEST_INVALID', message))
  }

  async #publish(
    definition: AnyEventDefinition,
    data: unknown,
    options: PublishOptions,
    append = (cell: Cell, event: NewEvent) => cell.appender.append(event),
  ): Promise<Published> {
    const span = publishSpan(definition.type, options.tenant ?? this.#options.tenant, options.traceparent)
    try {
      const prepared = prepare(definition, data, withTrace(options, span.traceparent), this.#preparation)
      const event = prepared instanceof Promise ? await prepared : prepared
      const answer = this.#answer(event, await append(this.#cellOf(event.tenant), event))
      span.end()
      return answer
    } catch (error) {
      span.end(error)
      throw this.#counted(error)
    }
  }

  /** Many at once, all or nothing. They must live in one cell. The field of an error begins with its index: `/3/data`.
   *  Throws REQUEST_INVALID for more than `limits.callEventsMax` events or `limits.callBytesMax` bytes of them. */
  publishMany(publications: readonly Publication[]): Promise<readonly Published[]> {
    return this.#publishMany(
      publications.map(({ event, data, options }) => ({ definition: event, data, options: options ?? {} })),
    )
  }

  async #publishMany(entries: readonly Entry[]): Promise<readonly Published[]> {
    const spans: ReturnType<typeof publishSpan>[] = []
    try {
      const size = new CallSize(entries.length, this.#options.appendLimits)
      const prepared = async ({ definition, data, options }: Entry) => {
        size.check()
        const span = publishSpan(definition.type, options.tenant ?? this.#options.tenant, options.traceparent)
        spans.push(span)
        const event = await prepare(definition, data, withTrace(options, span.traceparent), this.#preparation)
        size.add(event)
        return event
      }
      const events = await Promise.all(
        entries.map((entry, index) => indexed(index, async () => prepared(entry))),
      )
      const answers = await this.#appendAll(events)
      for (const span of spans) span.end()
      return answers
    } catch (error) {
      for (const span of spans) span.end(error)
      throw this.#counted(error)
    }
  }

  async #appendAll(events: readonly NewEvent[]): Promise<readonly Published[]> {
    const [first] = events
    if (first === undefined) return []
    const unique = distinct(events)
    const cells = new Set(events.map((event) => this.#cellOf(event.tenant)))
    if (cells.size > 1)
      throw new EventspineError(
        'REQUEST_INVALID',
        'The events of one call live in several cells and cannot be stored together. Publish them per cell.',
      )
    const outcomes = await this.#cellOf(first.tenant).appender.appendAll(unique)
    const conflict = unique.find((_, index) => outcomes[index] === 'conflict')
    if (conflict !== undefined) throw conflictOf(conflict, `/${events.indexOf(conflict)}/id`)
    for (const event of unique) this.#metrics.published(event.type)
    return events.map(answerOf)
  }

  /** For untyped borders such as HTTP: finds the definition by type and version. Throws EVENT_UNKNOWN besides the
   *  errors of `publish`. */
  async ingest({ type, version, data, ...options }: IncomingEvent): Promise<Published> {
    return this.#publish(this.#find(type, version), data, foreign(options))
  }

  /** All or nothing. The field of an error begins with its index. */
  async ingestMany(events: readonly IncomingEvent[]): Promise<readonly Published[]> {
    const entries = await Promise.all(
      events.map(({ type, version, data, ...options }, index) =>
        indexed(index, async () => ({
          definition: this.#find(type, version),
          data,
          options: foreign(options),
        })),
      ),
    )
    return this.#publishMany(entries)
  }

  #find(type: string, version: number | undefined): AnyEventDefinition {
    try {
      return definitionFor(this.app, type, version)
    } catch (error) {
      throw this.#counted(error)
    }
  }

  #answer(event: NewEvent, outcome: AppendOutcome): Published {
    if (outcome === 'conflict') throw conflictOf(event, '/id')
    if (outcome === 'stored') this.#metrics.published(event.type)
    return answerOf(event)
  }

  #counted(error: unknown): unknown {
    if (error instanceof EventspineError) this.#metrics.refused(error.code)
    return error
  }

  #cellOf(tenant: string): Cell {
    if (this.#state !== 'running') {
      throw this.#state === 'stopped'
        ? new EventspineError('STOPPED', 'This Eventspine was stopped. Nothing can be published any more.')
        : new EventspineError('NOT_STARTED', 'Call and await start() before publishing.')
    }
    const name = this.#options.placement(tenant)
    const cell = this.#cells.get(name)
    if (cell === undefined) throw unknownCell(name, this.cells)
    return cell
  }

  // ── seeing and steering ──

  #cellNamed(name: string = this.cells[0] as string): Cell {
    const cell = this.#cells.get(name)
    if (cell === undefined) throw unknownCell(name, this.cells)
    return cell
  }

  /** Reads and operates one cell. Default: the first. Throws CELL_UNKNOWN. */
  operator(name: string = this.cells[0] as string): Operator {
    const cell = this.#cellNamed(name)
    let operator = this.#operators.get(name)
    if (operator === undefined) {
      const { store, runner, tables } = cell
      operator = new Operator({
        ...{ ...this.#surroundings, app: this.app, store, runner, tables, preparation: this.#preparation },
        sources: this.sources.runIn(name),
        masters: this.#options.masterKeys.map(({ fingerprint }) => fingerprint),
        live: () => cell.worker?.consumers ?? [],
      })
      this.#operators.set(name, operator)
    }
    return operator
  }

  /** True between start and stop. */
  ready(): boolean {
    return this.#state === 'running'
  }

  /** Whether each cell can be reached now. `error` is a stable code and safe to show anyone; why, with the address that
   *  it may name, goes to the log. */
  health(): Promise<Health> {
    return healthOf(this.#cells, this.#options.logger, this.ready())
  }

  /** Counters of this process, and the state of each cell's subscriptions, breakers and database. */
  async metrics(): Promise<readonly MetricSample[]> {
    const cells = await Promise.all(
      [...this.#cells].map(([name, cell]) => storeSamples(name, cell).catch(() => [])),
    )
    return [...this.#metrics.samples(), ...cells.flat()]
  }

  /** The same in the Prometheus text format. */
  async prometheus(): Promise<string> {
    return prometheusText(await this.metrics())
  }
}
