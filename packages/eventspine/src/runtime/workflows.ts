// What a user does with workflows: starts, signals, approves, cancels, and looks.

import { fingerprintOf, type NewEvent } from '../event/index.js'
import { type Clock, EventspineError, type Random, uuidv7 } from '../kernel/index.js'
import type { Redrive } from '../redrive/index.js'
import {
  type AnyWorkflow,
  type InstanceName,
  inputJson,
  openQuestions,
  openWaits,
  shownHistory,
  stimulus,
  typeOf,
  type WorkflowEnd,
  type WorkflowInput,
  type WorkflowOutput,
  type WorkflowPort,
  type WorkflowQuery,
} from '../workflow/index.js'
import type { App } from './app.js'
import type { Approvals } from './approvals.js'
import type { Cell } from './cell.js'
import { actOn } from './workflow-act.js'
import { checked, checkedId, checkQuery, keyMax, nameMax, reasonOf, refused } from './workflow-checks.js'
import { type Found, WorkflowMending } from './workflow-mending.js'
import { WorkflowNames } from './workflow-names.js'
import type {
  ActOptions,
  Decision,
  InstanceOptions,
  RestartOptions,
  SignalOptions,
  StartOptions,
  WorkflowDetails,
  WorkflowHandle,
} from './workflow-options.js'

export interface WorkflowsServices {
  readonly app: App
  readonly clock: Clock
  readonly random: Random
  readonly tenant: string
  readonly approvals: Approvals
  cellOf(tenant: string): Cell
}

const resultMsDefault = 60_000
/** Of a history: all of it is read whenever the instance is taken up. */
const entriesMax = 20_000
/** Who asks so soon after the start is told of the end as it comes, and need not look for one before. */
const beginsMsMax = 5

export class Workflows {
  readonly #services: WorkflowsServices
  readonly #mending: WorkflowMending
  readonly #names: WorkflowNames

  constructor(services: WorkflowsServices) {
    this.#services = services
    this.#mending = new WorkflowMending(services)
    this.#names = new WorkflowNames(services)
  }

  /** Stores the wish to start it, and answers at once. Throws WORKFLOW_UNKNOWN, EVENT_INVALID for an input that does not
   *  fit, IDEMPOTENCY_CONFLICT for another input under the same id, besides the errors of `publish`. */
  async start<Definition extends AnyWorkflow>(
    definition: Definition | string,
    input: WorkflowInput<Definition>,
    options: StartOptions = {},
  ): Promise<WorkflowHandle<WorkflowOutput<Definition>>> {
    const found = await this.#names.defined(definition, options)
    const { clock, random } = this.#services
    const id = options.id === undefined ? uuidv7(clock, random) : checkedId('id', options.id)
    const name = this.#names.named(found, id, options)
    const data = { input: parsed(await inputJson(found, input)) }
    const made = stimulus(name, 'started', data, undefined, this.#services)
    const event = options.id === undefined ? made : keyed(made, startId(name))
    const outcome = await this.#cell(name).appender.append(event)
    if (outcome === 'conflict')
      throw new EventspineError(
        'IDEMPOTENCY_CONFLICT',
        `Instance "${id}" of workflow "${found.name}" was started with another input. An id names one instance: repeat the same, or give this one an id of its own.`,
        { field: '/id' },
      )
    return this.#handle(name, outcome === 'stored' ? clock.monotonic() : undefined)
  }

  /** Of an instance that was started before, by whatever app of this log. Its `ended` and `result` throw WORKFLOW_UNKNOWN where none
   *  has such a workflow. */
  handle(workflow: AnyWorkflow | string, id: string, options: InstanceOptions = {}): WorkflowHandle {
    return this.#handle(this.#names.named(workflow, id, options))
  }

  /** Whether the wish to start it is stored, also while no worker has taken it up and `show` knows of none. */
  async isAccepted(workflow: AnyWorkflow | string, id: string, options: InstanceOptions = {}) {
    const { tenant, workflow: found } = await this.#names.known(workflow, id, options)
    const asked = { tenant, type: typeOf(found, 'started'), key: id, since: '', taken: [], after: 0 }
    return (await this.#services.cellOf(tenant).store.occurrences(asked)).length > 0
  }

  /** Kept until the instance asks for it. Throws NOT_FOUND, WORKFLOW_ENDED once nobody will, and REQUEST_INVALID beyond 20,000
   *  entries of its history. */
  async signal(
    workflow: AnyWorkflow | string,
    id: string,
    signal: string,
    payload?: unknown,
    { by, reason, ...options }: SignalOptions = {},
  ): Promise<void> {
    checked('signal', signal, nameMax)
    const why = reasonOf(reason)
    const name = await this.#open(workflow, id, options, entriesMax)
    const data = { name: signal, payload: parsed(await inputJson(undefined, payload)) ?? null }
    const event = stimulus(name, 'signalled', data, undefined, this.#services)
    const { appender } = this.#cell(name)
    if (by === undefined) await appender.append(event)
    else {
      const act = actOn(name, 'signal', checked('by', by, nameMax), { signal, event: event.id, reason: why })
      await appender.appendActed(event, act)
    }
  }

  /** Decides what `ctx.approval` asks now, and answers which question that was. Throws APPROVAL_NOT_ASKED where it does not ask,
   *  somebody else was first, or the name was asked more than once and `question` does not say which. */
  async approve(
    workflow: AnyWorkflow | string,
    id: string,
    approval: string,
    { approved, by, reason, question }: Decision,
    options: InstanceOptions = {},
  ): Promise<{ readonly question: string }> {
    checked('approval', approval, nameMax)
    checked('by', by, nameMax)
    if (question !== undefined) checked('question', question, keyMax)
    if (typeof approved !== 'boolean')
      throw refused('/approved', `"approved" is true or false, not ${String(approved)}`)
    const name = await this.#open(workflow, id, options)
    const decision = { approved, by, reason: reasonOf(reason), question }
    return await this.#services.approvals.decideAs(name, approval, decision)
  }

  /** Asks it to end: what is under way comes to its end, then all is undone. The dead letter of one that a fault of its code
   *  halts is discarded. A pivot that has begun comes to its end first. Throws WORKFLOW_PIVOTED behind one. */
  async cancel(
    workflow: AnyWorkflow | string,
    id: string,
    by: string,
    reason?: string,
    options: InstanceOptions = {},
  ): Promise<void> {
    checked('by', by, nameMax)
    const [name, why] = [await this.#open(workflow, id, options), reasonOf(reason)]
    const { before, giveWay } = await this.#mending.yielding(this.#cell(name).store, name)
    const asked = stimulus(name, 'cancelled', { by, reason: why }, undefined, this.#services)
    const act = actOn(name, 'cancel', by, { before, after: 'cancel requested', reason: why })
    await this.#cell(name).appender.appendActed(asked, act)
    await giveWay?.(by, why)
  }

  /** Sends again what halts it. Throws WORKFLOW_NOT_HALTED. */
  async retry(
    workflow: AnyWorkflow | string,
    id: string,
    by: string,
    { reason, ...options }: ActOptions = {},
  ): Promise<Redrive> {
    const name = await this.#names.known(workflow, id, options)
    const { store } = this.#cell(name)
    const [who, why] = [checked('by', by, nameMax), reasonOf(reason)]
    return await this.#mending.retry(store, await this.#found(name), who, why)
  }

  /** Ends it where it stands: nothing is undone, what runs is not recorded any more. Its children are cancelled. For
   *  what `cancel` does not reach. Throws NOT_FOUND, WORKFLOW_ENDED. */
  async terminate(
    workflow: AnyWorkflow | string,
    id: string,
    by: string,
    reason?: string,
    options: InstanceOptions = {},
  ): Promise<void> {
    checked('by', by, nameMax)
    const name = await this.#names.known(workflow, id, options)
    const cell = this.#cell(name)
    const found = await this.#found(name)
    const end = await this.#mending.terminate(cell.store, found, by, reasonOf(reason))
    if (end === null) throw endedAs(name, (await this.#found(name)).instance.state)
    cell.appendedWithin()
    cell.workflowEnds.ended(name, end)
  }

  /** Starts another instance, on the newest version, with the same input and all that this one did before the step `from`
   *  (its name, or its place in the history); without it, from the beginning. What follows is done again under new
   *  idempotency keys. Throws NOT_FOUND, WORKFLOW_RUNNING, IDEMPOTENCY_CONFLICT. */
  async restart(
    workflow: AnyWorkflow | string,
    id: string,
    by: string,
    { from, as, reason, ...options }: RestartOptions = {},
  ): Promise<WorkflowHandle> {
    checked('by', by, nameMax)
    const why = reasonOf(reason)
    const name = await this.#names.known(workflow, id, options)
    const found = await this.#found(name)
    const { free, copies } = await this.#copies(name)
    const next = { ...name, id: as === undefined ? free : checkedId('as', as) }
    if (from !== undefined) this.#mending.checkCopies(found, copies)
    const event = keyed(this.#mending.restarted(found, from, next, by), startId(next))
    const taken = (await this.#cell(name).store.workflow(next)) !== null
    const act = actOn(name, 'restart', by, { from: from ?? null, as: next.id, reason: why })
    if (taken || (await this.#cell(name).appender.appendActed(event, act)) === 'conflict')
      throw new EventspineError(
        'IDEMPOTENCY_CONFLICT',
        `There is an instance "${next.id}" of workflow "${next.workflow}" already. Choose another id.`,
        { field: '/as' },
      )
    return this.#handle(next, this.#services.clock.monotonic())
  }

  // `order-7`, then `order-7~2`, `order-7~3`.
  async #copies(name: InstanceName): Promise<{ readonly free: string; readonly copies: readonly Found[] }> {
    const base = name.id.replace(/~\d+$/, '')
    const copies: Found[] = []
    for (let number = 2; ; number++) {
      const id = `${base}~${number}`
      const copy = await this.#cell(name).store.workflow({ ...name, id })
      if (copy === null) return { free: id, copies }
      copies.push(copy)
    }
  }

  async #found(name: InstanceName): Promise<Found> {
    const found = await this.#cell(name).store.workflow(name)
    if (found === null) throw unknown(name)
    return found
  }

  /** Newest first. Throws REQUEST_INVALID. */
  async list(query: WorkflowQuery = {}): ReturnType<WorkflowPort['workflows']> {
    checkQuery(query)
    return this.#services.cellOf(query.tenant ?? this.#services.tenant).store.workflows(query)
  }

  /** Null where there is none. */
  async show(
    workflow: AnyWorkflow | string,
    id: string,
    options: InstanceOptions = {},
  ): Promise<WorkflowDetails | null> {
    const name = await this.#names.known(workflow, id, options)
    const found = await this.#cell(name).store.workflow(name)
    return found === null ? null : detailsOf(found)
  }

  #handle<Output>(name: InstanceName, startedAt = Number.NEGATIVE_INFINITY): WorkflowHandle<Output> {
    const wait = async (timeoutMs: number, signal?: AbortSignal) => {
      // Also of one of another app: a name that nobody has would be waited for in vain.
      if (!this.#names.isOwn(name)) await this.#names.check(name)
      const begins = this.#services.clock.monotonic() - startedAt < beginsMsMax
      return await this.#cell(name).workflowEnds.wait(name, timeoutMs, { begins, signal })
    }
    return {
      ...name,
      ended: async ({ timeoutMs = resultMsDefault, signal } = {}) => (await wait(timeoutMs, signal)) !== null,
      result: async ({ timeoutMs = resultMsDefault } = {}) => {
        const end = await wait(timeoutMs)
        if (end === null)
          throw new EventspineError(
            'TIMED_OUT',
            `Workflow "${name.workflow}" ${name.id} has not ended within ${timeoutMs} ms. It goes on: ask again, or wait longer.`,
          )
        const { state } = end
        const { output, failure } = answerOf(end)
        if (state === 'completed') return output as Output
        throw new EventspineError(
          'WORKFLOW_FAILED',
          `Workflow "${name.workflow}" ${name.id} ended as ${state}${failure === undefined ? '' : `: ${failure.message}`}.`,
        )
      },
    }
  }

  // It may have been started and not begun.
  async #open(
    workflow: AnyWorkflow | string,
    id: string,
    options: InstanceOptions,
    max = Number.POSITIVE_INFINITY,
  ): Promise<InstanceName> {
    const name = await this.#names.known(workflow, checked('id', id, keyMax), options)
    const { store } = this.#cell(name)
    const instance = (await store.workflow(name))?.instance
    if (instance !== undefined && instance.endedAtMs !== null) throw endedAs(name, instance.state)
    if (instance !== undefined && instance.entries >= max)
      throw new EventspineError(
        'REQUEST_INVALID',
        `"${name.workflow}" ${id} has ${instance.entries} entries in its history, and takes no signals beyond ${max}. Let a new instance go on with the work.`,
      )
    const type = typeOf(name.workflow, 'started')
    if (instance === undefined) {
      const started = await store.events({ tenant: name.tenant, key: id, type, limit: 1 })
      if (started.items.length === 0) throw unknown(name)
    }
    return name
  }

  #cell({ tenant }: InstanceName): Cell {
    return this.#services.cellOf(tenant)
  }
}

const startId = ({ workflow, id }: InstanceName) => `start ${workflow} ${id}`

/** Repeats under one id are one event. */
function keyed(event: NewEvent, id: string): NewEvent {
  const named = { ...event, id, correlationId: id }
  return { ...named, fingerprint: fingerprintOf(named) }
}

const parsed = (json: string | null): unknown => (json === null ? undefined : JSON.parse(json))

const endedAs = ({ workflow, id }: InstanceName, state: string) =>
  new EventspineError(
    'WORKFLOW_ENDED',
    `Workflow "${workflow}" ${id} has ended as ${state}: nothing reaches it any more.`,
  )

const unknown = ({ workflow, id, tenant }: InstanceName) =>
  new EventspineError(
    'NOT_FOUND',
    `There is no instance "${id}" of workflow "${workflow}" for tenant "${tenant}".`,
  )

function detailsOf({ instance, history, attention, approval }: Found): WorkflowDetails {
  const ended = history.findLast(({ kind }) => kind === 'ended')
  const answer = answerOf({ data: ended?.data ?? null })
  const [questions, waits] = [openQuestions(history), openWaits(history)]
  return { ...instance, attention, approval, history: shownHistory(history), questions, waits, ...answer }
}

function answerOf({ data }: Pick<WorkflowEnd, 'data'>): Pick<WorkflowDetails, 'output' | 'failure'> {
  const { output, failure } = JSON.parse(data ?? '{}') as Pick<WorkflowDetails, 'output' | 'failure'>
  return { output, failure }
}
