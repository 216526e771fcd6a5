// The subscription of a workflow: takes its stimuli, one at a time for each instance, and has the instance moved on.
import type { Event } from '../event/event.js'
import { HandlerError, PermanentError, persistently, TransientError } from '../handle/index.js'
import type { Drive } from '../handle/runner.js'
import { assert, type Clock, type Random } from '../kernel/index.js'
import { boundLogger, type Logger } from '../observe/log.js'
import { type ConsequenceServices, Consequences } from './consequences.js'
import type { DatabaseTime } from './database-time.js'
import type { AnyWorkflow } from './definition.js'
import { Driver } from './driver.js'
import { dataOf, History, type Said } from './history.js'
import { Ledger } from './ledger.js'
import type { InstanceName, Loaded, Parent, Recording, WorkflowPort } from './port.js'
import {
  type CancelData,
  type ChildData,
  causeOf,
  kindOf,
  type SignalData,
  type StartData,
  type StimulusKind,
} from './stimulus.js'

export interface EngineServices extends ConsequenceServices {
  readonly port: Pick<WorkflowPort, 'loadWorkflows' | 'recordWorkflows'>
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** An instance wants to be woken in so many milliseconds. */
  wakeIn(ms: number): void
  /** Events are in the log. */
  published(): void
  /** An instance ended here. */
  ended(name: InstanceName): void
}

export class WorkflowEngine {
  readonly #services: EngineServices
  readonly #ledger: Ledger
  readonly #definitions: ReadonlyMap<string, readonly AnyWorkflow[]>

  constructor(workflows: readonly AnyWorkflow[], services: EngineServices) {
    this.#services = services
    this.#ledger = new Ledger(services.port, services.clock)
    const definitions = new Map<string, AnyWorkflow[]>()
    for (const each of workflows) definitions.set(each.name, [...(definitions.get(each.name) ?? []), each])
    this.#definitions = definitions
  }

  /** Rejects when the instance needs a person: the delivery is dead then, and halts its instance. */
  async drive(workflow: string, drive: Drive): Promise<void> {
    const { event, cancellation } = drive
    const name = { tenant: event.tenant, workflow, id: event.key ?? event.id }
    const { clock } = this.#services
    const { loaded, time } = await persistently(clock, cancellation, () => this.#ledger.load(name))
    const kind = kindOf(event.type)
    if (loaded === undefined) {
      if (kind !== 'started') throw unknownInstance(name, kind)
      return await this.#begin(name, drive, time)
    }
    if (kind === 'started' && !isOwnStart(loaded, event)) return
    const fresh = !isKnown(loaded, event)
    if (loaded.instance.endedAtMs !== null)
      return fresh ? await this.#late(name, drive, loaded, time) : undefined
    const definition = this.#definitions
      .get(workflow)
      ?.find(({ version }) => version === loaded.instance.version)
    if (definition === undefined)
      throw otherVersion(name, loaded.instance.version, this.#newest(workflow).version)
    const said = fresh ? saidBy(kind, event, definition.overdue) : []
    const { parent } = loaded.instance
    const history = new History(loaded.history)
    await this.#run(
      { name, definition, history, parent, time, said, woken: kind === 'woken', made: null },
      drive,
    )
  }

  async #begin(name: InstanceName, drive: Drive, time: DatabaseTime): Promise<void> {
    const definition = this.#newest(name.workflow)
    const { version, deadlineMs } = definition
    const { input, parent = null } = drive.event.data as StartData
    const history = new History([])
    history.append({ kind: 'started', data: { input, version, event: drive.event.id } }, time.latestMs())
    const made = { version, parent, deadlineInMs: deadlineMs }
    await this.#run({ name, definition, history, parent, time, said: [], woken: false, made }, drive)
  }

  async #run(run: Run, { event, cancellation, grant }: Drive): Promise<void> {
    const { name, definition, history, parent, time, said, woken } = run
    let { made } = run
    const { clock, random, logger } = this.#services
    const cause = causeOf(event)
    const driver = new Driver({
      ...{ name, definition, history, time, clock, random, cancellation },
      logger: boundLogger(logger, { workflow: name.workflow, instance: name.id, tenant: name.tenant }),
      consequences: new Consequences(name, parent, cause, this.#services),
      record: async (part) => {
        const recording = { ...name, consumer: grant, ...part, made }
        const recorded = await persistently(clock, cancellation, () => this.#ledger.record(recording))
        made = null
        if (recorded) this.#recorded(recording, time)
        return recorded
      },
    })
    await driver.drive(said, woken)
  }

  #recorded({ tenant, workflow, id, state, wakeAtMs, published }: Recording, time: DatabaseTime): void {
    if (wakeAtMs !== null) this.#services.wakeIn(Math.max(0, wakeAtMs - time.earliestMs()))
    if (published.length > 0) this.#services.published()
    if (state !== 'running' && state !== 'compensating') this.#services.ended({ tenant, workflow, id })
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
    for (const each of saidBy('signalled', event, 'alarm')) history.append(each, time.latestMs())
    const { entries: from, state } = instance
    const recording: Recording = {
      ...{ ...name, consumer: grant, from, state, made: null },
      ...{ entries: history.unrecorded(), wakeAtMs: null, published: [] },
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

/** A second start under the same id is none. */
const isOwnStart = ({ history }: Loaded, event: Event) =>
  history[0] !== undefined && dataOf<{ readonly event: string }>(history[0]).event === event.id

/** Entries that tell which event they come from. What a step answered may look the same, and is none. */
const fromOutside: ReadonlySet<string> = new Set([
  'signal',
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
      return [{ kind: 'signal', name, data: { ...data, ...own } }]
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
