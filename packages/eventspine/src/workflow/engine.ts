// The subscription of a workflow: takes its stimuli, one at a time for each instance, and has the instance moved on.
import { isDeepStrictEqual } from 'node:util'
import type { Event } from '../event/event.js'
import { ownDefinition } from '../event/index.js'
import type { NewEvent, StoredEvent } from '../event/stored.js'
import { HandlerError, judge, PermanentError, persistently, TransientError } from '../handle/index.js'
import type { Drive } from '../handle/runner.js'
import { assert, type Cancellation, type Clock, type Random } from '../kernel/index.js'
import { boundLogger, type Logger } from '../observe/log.js'
import { type ConsequenceServices, Consequences } from './consequences.js'
import type { DatabaseTime } from './database-time.js'
import type { AnyWorkflow } from './definition.js'
import { Driver } from './driver.js'
import { dataOf, History, judgedDecision, type Said } from './history.js'
import { type HistoryClaimServices, HistoryClaims } from './history-claims.js'
import { Ledger, type LedgerPort } from './ledger.js'
import { occurrence } from './occurrence.js'
import type { Entry, InstanceName, Loaded, Parent, Recording, WorkflowEnd, WorkflowPort } from './port.js'
import { sinceOf, takeOver } from './restart.js'
import {
  type CancelData,
  type ChildData,
  causeOf,
  isStimulus,
  kindOf,
  type SignalData,
  type StartData,
  type StimulusKind,
  stimulus,
  typeOf,
} from './stimulus.js'

export interface EngineServices extends Omit<ConsequenceServices, 'knows'>, HistoryClaimServices {
  readonly port: LedgerPort & Pick<WorkflowPort, 'occurrences'>
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** An event as handlers see it. Rejects what cannot be read. */
  show(event: StoredEvent, cancellation: Cancellation): Promise<Event>
  /** An instance wants to be woken in so many milliseconds. */
  wakeIn(ms: number): void
  /** Into the log; repeats of them are harmless. */
  append(events: readonly NewEvent[]): Promise<unknown>
  /** Events are in the log. */
  published(): void
  /** An instance ended here. */
  ended(name: InstanceName, end: WorkflowEnd): void
}

/** Told at a time that an event is there. */
const toldMax = 500

export class WorkflowEngine {
  readonly #services: EngineServices
  readonly #ledger: Ledger
  readonly #claims: HistoryClaims
  readonly #definitions: ReadonlyMap<string, readonly AnyWorkflow[]>
  readonly #consequences: ConsequenceServices

  constructor(workflows: readonly AnyWorkflow[], services: EngineServices) {
    this.#services = services
    this.#ledger = new Ledger(services.port, services.clock)
    this.#claims = new HistoryClaims(services)
    const definitions = new Map<string, AnyWorkflow[]>()
    for (const each of workflows) definitions.set(each.name, [...(definitions.get(each.name) ?? []), each])
    this.#definitions = definitions
    this.#consequences = { ...services, knows: (workflow) => definitions.has(workflow) }
  }

  /** Rejects when the instance needs a person: the delivery is dead then, and halts its instance. */
  async drive(workflow: string, drive: Drive): Promise<void> {
    const { event, cancellation } = drive
    if (!isStimulus(event.type)) return await this.#route(workflow, drive)
    const name = { tenant: event.tenant, workflow, id: event.key ?? event.id }
    const { clock } = this.#services
    const { loaded, time } = await persistently(clock, cancellation, () => this.#ledger.load(name))
    const kind = kindOf(event.type)
    if (loaded === undefined) {
      if (kind === 'occurred') return
      if (kind !== 'started') throw unknownInstance(name, kind)
      return await this.#begin(name, drive, time)
    }
    if (kind === 'started' && !isOwnStart(loaded, event)) return await this.#taken(name, drive, loaded)
    // Of a parent whose child is another under this id: it says nothing here, and who waits behind it goes on.
    const isForeign = kind === 'cancelled' && isOfOther(event.data as CancelData, loaded)
    const fresh = !isKnown(loaded, event)
    if (loaded.instance.endedAtMs !== null)
      return fresh && !isForeign ? await this.#late(name, drive, loaded, time) : undefined
    const definition = this.#definitions
      .get(workflow)
      ?.find(({ version }) => version === loaded.instance.version)
    if (definition === undefined)
      throw otherVersion(name, loaded.instance.version, this.#newest(workflow).version)
    const said = fresh && !isForeign ? saidBy(kind, event, definition.overdue) : []
    const { parent } = loaded.instance
    const history = new History(await this.#fetched(loaded, drive))
    await this.#run(
      { name, definition, history, parent, time, said, woken: kind === 'woken', made: null },
      drive,
    )
  }

  // It may have come before they asked, or for the second time: each looks in the log for itself.
  async #route(workflow: string, { event, cancellation }: Drive): Promise<void> {
    const { tenant, type, key } = event
    if (key === undefined) return
    const asked = { tenant, workflow, type, key }
    const { clock } = this.#services
    const ids = await persistently(clock, cancellation, () => this.#ledger.awaiting(asked))
    for (let first = 0; first < ids.length; first += toldMax) {
      const events = ids
        .slice(first, first + toldMax)
        .map((id) => stimulus({ tenant, workflow, id }, 'occurred', {}, causeOf(event), this.#services))
      await persistently(clock, cancellation, () => this.#services.append(events))
    }
    if (ids.length > 0) this.#services.published()
  }

  // Whoever wanted it as its child waits for an end that is not that of its own.
  async #taken(
    { workflow, id }: InstanceName,
    { event, context }: Drive,
    { instance, history }: Loaded,
  ): Promise<void> {
    const { parent, input } = event.data as StartData
    if (parent === undefined && !isDeepStrictEqual(input ?? null, startOf(history).input ?? null))
      this.#services.logger.error('an instance was to be started again with another input, and was not', {
        ...{ workflow, instance: id, event: event.id, cause: event.causationId },
      })
    if (parent === undefined || isSameParent(parent, instance.parent)) return
    const failure = judge(
      new PermanentError(
        `There is an instance ${id} of workflow "${workflow}" already, and it is not this call's child: give the child another id`,
      ),
    )
    const data = { place: parent.place, workflow, id, state: 'failed', failure } satisfies ChildData
    const ended = ownDefinition(typeOf(parent.workflow, 'child-ended'))
    await context.publish(ended, data, { key: parent.id })
  }

  async #begin(name: InstanceName, drive: Drive, time: DatabaseTime): Promise<void> {
    const definition = this.#newest(name.workflow)
    const { version, deadlineMs } = definition
    const { input, parent = null, restart } = drive.event.data as StartData
    const history = new History([])
    const { id: event, causationId: cause } = drive.event
    const before = restart === undefined ? [] : await this.#historyOf({ ...name, id: restart.of }, drive)
    // Of the event and not of now: whoever begins it again, before anything is recorded, sees the same.
    const goesOn = restart !== undefined && restart.upTo > 1
    const atMs = (goesOn ? before[0]?.atMs : undefined) ?? drive.recordedAtMs
    history.append({ kind: 'started', data: { input, version, event, cause, restart } }, atMs)
    if (restart !== undefined) takeOver(history, restart, before)
    const made = { version, parent, deadlineInMs: deadlineMs }
    await this.#run({ name, definition, history, parent, time, said: [], woken: false, made }, drive)
  }

  async #historyOf(name: InstanceName, drive: Drive): Promise<readonly Entry[]> {
    const { clock } = this.#services
    const { loaded } = await persistently(clock, drive.cancellation, () => this.#ledger.load(name))
    if (loaded === undefined) throw unknownInstance(name, 'started')
    return await this.#fetched(loaded, drive)
  }

  #fetched({ history }: Loaded, { cancellation }: Drive): Promise<readonly Entry[]> {
    return persistently(this.#services.clock, cancellation, () => this.#claims.fetched(history))
  }

  async #run(run: Run, { event, recordedAtMs, cancellation, grant, ...drive }: Drive): Promise<void> {
    const { name, definition, history, parent, time, said, woken } = run
    let { made } = run
    const { clock, random, logger, port, show } = this.#services
    const cause = causeOf(event)
    const isBehind = (kind: StimulusKind) => drive.isBehind(typeOf(name.workflow, kind))
    const wished = () => this.#wished(name, history, parent, { cancellation })
    const redriven = drive.context.round > 0
    // What a person sends again is not to begin anything new where it was asked to end meanwhile.
    const ending = redriven && (await wished())
    const driver = new Driver({
      wished,
      mustEnd: () =>
        ending || isBehind('cancelled') || (definition.overdue === 'cancel' && isBehind('overdue')),
      ...{ name, definition, history, time, clock, random, cancellation },
      stimulatedAtMs: recordedAtMs,
      ...{ redriven, isSuspect: drive.isSuspect },
      logger: boundLogger(logger, { workflow: name.workflow, instance: name.id, tenant: name.tenant }),
      consequences: new Consequences(name, parent, cause, this.#consequences),
      look: (call, taken) => {
        const asked = { tenant: name.tenant, since: sinceOf(history.entries), taken: [...taken] }
        return occurrence(call, asked, { clock, cancellation, port, show })
      },
      record: async (part) => {
        const entries = await persistently(clock, cancellation, () =>
          this.#claims.checkedIn(name.tenant, part.entries),
        )
        const recording = { ...name, consumer: grant, ...part, entries, made }
        const recorded = await persistently(clock, cancellation, () => this.#ledger.record(recording))
        made = null
        if (recorded) this.#recorded(recording, time)
        return recorded
      },
    })
    await driver.drive(said, woken)
  }

  /** A wish to end is in the log that its history does not know. */
  async #wished(
    { tenant, workflow, id }: InstanceName,
    { entries }: History,
    parent: Parent | null,
    { cancellation }: Pick<Drive, 'cancellation'>,
  ): Promise<boolean> {
    const { clock, port } = this.#services
    const taken = entries.flatMap((entry) =>
      entry.kind === 'cancel-requested' ? [dataOf<{ readonly event?: string }>(entry).event ?? ''] : [],
    )
    const asked = {
      tenant,
      type: typeOf(workflow, 'cancelled'),
      key: id,
      since: sinceOf(entries),
      taken,
      after: 0,
    }
    const found = await persistently(clock, cancellation, () => port.occurrences(asked))
    return found.some(({ data }) => {
      const { parent: by } = JSON.parse(data ?? '{}') as CancelData
      return by === undefined || isSameParent(by, parent)
    })
  }

  #recorded(
    { tenant, workflow, id, state, wakeAtMs, published, entries }: Recording,
    time: DatabaseTime,
  ): void {
    if (wakeAtMs !== null) this.#services.wakeIn(Math.max(0, wakeAtMs - time.earliestMs()))
    if (published.length > 0) this.#services.published()
    const end = entries.findLast(({ kind }) => kind === 'ended')
    if (end !== undefined) this.#services.ended({ tenant, workflow, id }, { state, data: end.data })
  }

  // What was accepted is kept, also where nobody will ask for it.
  async #late(
    name: InstanceName,
    { event, cancellation, grant }: Drive,
    { instance, history: recorded }: Loaded,
    time: DatabaseTime,
  ): Promise<void> {
    const history = new History(recorded)
    if (kindOf(event.type) !== 'signalled') return
    for (const each of saidBy('signalled', event, 'alarm'))
      history.append(
        judgedDecision(each, () => false),
        time.latestMs(),
      )
    const { entries: from, state } = instance
    const recording: Recording = {
      ...{ ...name, consumer: grant, from, state, made: null },
      ...{ entries: history.unrecorded(), wakeAtMs: null, published: [], awaited: null },
    }
    const written = await persistently(this.#services.clock, cancellation, () =>
      this.#ledger.record(recording),
    )
    if (!written) throw new TransientError('Somebody else has written to this instance meanwhile')
  }

  #newest(workflow: string): AnyWorkflow {
    const versions = this.#definitions.get(workflow) ?? []
    const [first] = [...versions].sort((a, b) => b.version - a.version)
    assert(first !== undefined, `There is no workflow "${workflow}"`)
    return first
  }
}

const isOfOther = ({ parent }: CancelData, { instance }: Loaded) =>
  parent !== undefined && !isSameParent(parent, instance.parent)

interface Run {
  readonly name: InstanceName
  readonly definition: AnyWorkflow
  readonly history: History
  readonly parent: Parent | null
  readonly time: DatabaseTime
  readonly said: readonly Said[]
  readonly woken: boolean
  readonly made: Recording['made']
}

const startOf = ([first]: readonly Entry[]) =>
  (first === undefined ? {} : dataOf(first)) as { readonly event?: string; readonly input?: unknown }

/** A second start under the same id is none. */
const isOwnStart = ({ history }: Loaded, event: Event) => startOf(history).event === event.id

const isSameParent = (one: Parent | null | undefined, other: Parent | null | undefined) =>
  one?.workflow === other?.workflow && one?.id === other?.id && one?.place === other?.place

/** Entries that tell which event they come from. What a step answered may look the same, and is none. */
const fromOutside: ReadonlySet<string> = new Set([
  'signal',
  'child-failed',
  'child-ended',
  'cancel-requested',
  'deadline-passed',
])

/** Its entry is there: the process that wrote it died before the delivery was settled. */
const isKnown = ({ history }: Loaded, event: Event) =>
  history.some(
    (entry) => fromOutside.has(entry.kind) && dataOf<{ readonly event?: string }>(entry).event === event.id,
  )

function saidBy(kind: StimulusKind, event: Event, overdue: AnyWorkflow['overdue']): readonly Said[] {
  const own = { event: event.id }
  switch (kind) {
    case 'signalled': {
      const { name, ...data } = event.data as SignalData
      return [{ kind: 'signal', name, place: data.question ?? '', data: { ...data, ...own } }]
    }
    case 'child-ended': {
      const { place, workflow, ...data } = event.data as ChildData
      return [{ kind: 'child-ended', place, name: workflow, data: { ...data, ...own } }]
    }
    case 'cancelled':
      return [{ kind: 'cancel-requested', data: { ...(event.data as CancelData), ...own } }]
    case 'overdue': {
      const passed: Said = { kind: 'deadline-passed', data: own }
      const cancel: Said = { kind: 'cancel-requested', data: { by: 'deadline', reason: null } }
      // Known is it by the second: a process may die between the two.
      return overdue === 'cancel' ? [cancel, passed] : [passed]
    }
    default:
      return []
  }
}

const unknownInstance = ({ workflow, id }: InstanceName, kind: StimulusKind) =>
  new PermanentError(
    `There is no instance ${id} of workflow "${workflow}" for what came to it (${kind}): it was never started, or ended so long ago that it is forgotten.`,
  )

/** While versions roll out, an instance can be of a version that this process does not know: it waits for one that does. */
const otherVersionRetryMs = 60_000

const otherVersion = ({ workflow, id }: InstanceName, version: number, newest: number) =>
  new HandlerError(
    'unknown',
    `Instance ${id} runs on version ${version} of workflow "${workflow}", and this app knows version ${newest}. List version ${version} in the app until its instances have ended.`,
    { retryAfterMs: otherVersionRetryMs },
  )
