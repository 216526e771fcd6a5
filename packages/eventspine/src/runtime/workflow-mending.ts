// What a person does with an instance that cannot go on: sends it again, ends it where it stands, or starts another one
// from a step of it.

import type { Act } from '../append/index.js'
import type { NewEvent } from '../event/index.js'
import { processDeathName } from '../handle/index.js'
import { type Clock, EventspineError, type Random, uuidv7 } from '../kernel/index.js'
import { completeRedrive, type Redrive, redriveRoundsMax } from '../redrive/index.js'
import type { Store } from '../store/store.js'
import {
  type Entry,
  type InstanceName,
  type Restart,
  restartOf,
  stimulus,
  type WorkflowEnd,
  type WorkflowPort,
  yieldingNames,
} from '../workflow/index.js'
import { redriveHint } from './redriving.js'
import { actOn } from './workflow-act.js'

export type Found = NonNullable<Awaited<ReturnType<WorkflowPort['workflow']>>>

export interface MendingServices {
  readonly clock: Clock
  readonly random: Random
}

const triesMax = 20

export class WorkflowMending {
  readonly #services: MendingServices

  constructor(services: MendingServices) {
    this.#services = services
  }

  /** Throws WORKFLOW_NOT_HALTED. */
  async retry(
    store: Store,
    { instance, attention }: Found,
    by: string,
    reason: string | null,
  ): Promise<Redrive> {
    const act = actOn(instance, 'retry', by, {
      ...{ letter: attention?.letter, before: 'needs attention', after: instance.state, reason },
    })
    return await this.#again(store, { instance, attention }, by, reason, act)
  }

  async #again(
    store: Store,
    { instance, attention }: Pick<Found, 'instance' | 'attention'>,
    by: string,
    reason: string | null,
    act?: Act,
  ): Promise<Redrive> {
    if (attention === null)
      throw new EventspineError(
        'WORKFLOW_NOT_HALTED',
        `Nothing halts "${instance.workflow}" ${instance.id}: it is ${instance.state}.`,
      )
    const { clock, random } = this.#services
    const request = completeRedrive(
      {
        ...{ filter: { ids: [attention.letter] }, actor: by, roundsMax: redriveRoundsMax },
        reason: `retry of ${instance.workflow} ${instance.id}${reason === null ? '' : `: ${reason}`}`,
      },
      null,
    )
    const redrive = await store.createRedrive(uuidv7(clock, random), {
      ...request,
      ...(act !== undefined && { act: { ...act, details: { ...act.details } } }),
    })
    store.notify(redriveHint)
    return redrive
  }

  /** How an instance stands before a wish to end (null where it has not begun), and the letter that gives way to that, which stands behind it. That of a fault of the code goes: what it brought is
   *  recorded. That of a process which died may hold what stands nowhere else: it is sent again, and begins nothing then. What else
   *  halts an instance halts the wish as well. */
  async yielding(store: Store, name: InstanceName) {
    const found = await store.workflow(name)
    if (found !== null) checkPivot(found)
    const before = found?.instance.state ?? null
    if (found === null || found.attention === null || before !== 'running') return { before }
    const letter = await store.deadLetter(found.attention.letter)
    if (letter?.failure.name === processDeathName)
      return { before, giveWay: (by: string, reason: string | null) => this.#again(store, found, by, reason) }
    if (letter === null || !yieldingNames.includes(letter.failure.name)) return { before }
    const giveWay = (by: string, reason: string | null) =>
      store.discard({ ids: [letter.id] }, by, reason ?? 'its instance was cancelled')
    return { before, giveWay }
  }

  /** Answers how it ended; null where it had ended by itself. */
  async terminate(
    store: Store,
    found: Found,
    by: string,
    reason: string | null,
  ): Promise<WorkflowEnd | null> {
    const end: WorkflowEnd = {
      state: 'terminated',
      data: JSON.stringify({ state: 'terminated', terminated: { by, reason } }),
    }
    const change = { before: found.instance.state, after: 'terminated' }
    const act = actOn(found.instance, 'terminate', by, { ...change, reason })
    let current: Found | null = found
    for (let tries = 0; tries < triesMax && current !== null; tries++) {
      const { instance, history, attention }: Found = current
      if (instance.endedAtMs !== null) return null
      const told = this.#told(current, by)
      if (await store.endWorkflow(instance, history.length, end, told, act)) {
        if (attention !== null)
          await store.discard({ ids: [attention.letter] }, by, reason ?? 'its instance was terminated')
        return end
      }
      current = await store.workflow(instance)
    }
    throw new EventspineError(
      'UNAVAILABLE',
      `"${found.instance.workflow}" ${found.instance.id} moves on too fast to be ended between two of its steps. Try again.`,
      { retryAfterMs: 1_000 },
    )
  }

  // Its parent goes on without it, and its children have nobody to answer.
  #told({ instance, history }: Found, by: string): readonly NewEvent[] {
    const { tenant, parent, workflow, id } = instance
    const events = openChildren(history).map(({ place, ...child }) =>
      stimulus(
        { tenant, ...child },
        'cancelled',
        { by, reason: 'its parent was terminated', parent: { workflow, id, place } },
        undefined,
        this.#services,
      ),
    )
    if (parent === null) return events
    const data = { place: parent.place, workflow, id, state: 'terminated' }
    return [...events, stimulus({ tenant, ...parent }, 'child-ended', data, undefined, this.#services)]
  }

  /** What a copy took over and undid is undone for the one it was taken from, too. Throws REQUEST_INVALID. */
  checkCopies({ instance, history }: Found, copies: readonly Found[]): void {
    const root = restartOfEntry(history[0])?.root ?? instance.id
    const undone = copies.find(
      (copy) =>
        (restartOfEntry(copy.history[0])?.upTo ?? 1) > 1 &&
        restartOfEntry(copy.history[0])?.root === root &&
        copy.history.some(({ kind }) => kind === 'compensating'),
    )
    if (undone === undefined) return
    const { workflow, id } = instance
    throw new EventspineError(
      'REQUEST_INVALID',
      `What "${workflow}" ${id} did was taken over by ${undone.instance.id}, which undid it: there is no step to go on from. Restart it from its beginning.`,
      { field: '/from' },
    )
  }

  /** The start of another one that has what this one did before `from`. Throws NOT_FOUND, WORKFLOW_RUNNING. */
  restarted(
    { instance, history }: Found,
    from: string | undefined,
    name: InstanceName,
    by: string,
  ): NewEvent {
    const { workflow, id, endedAtMs, parent } = instance
    if (endedAtMs === null)
      throw new EventspineError(
        'WORKFLOW_RUNNING',
        `"${workflow}" ${id} has not ended. Wait for it, or cancel or terminate it first.`,
      )
    // Also one that was terminated on its way back: some of it is undone.
    const isUndone = history.some(({ kind }) => kind === 'compensating')
    if (isUndone && from !== undefined)
      throw new EventspineError(
        'REQUEST_INVALID',
        `What "${workflow}" ${id} did is undone: there is no step to go on from. Restart it from its beginning.`,
        { field: '/from' },
      )
    // Its end is told to whoever waits for that of the first.
    const data = { ...restartOf(history, id, from, by), ...(parent !== null && { parent }) }
    return stimulus(name, 'started', data, undefined, this.#services)
  }
}

// Of one that passes it just now nobody can say so here: its wish to end comes too late, and stands in its history.
function checkPivot({ instance: { workflow, id }, history }: Found): void {
  const pivots = history.filter(({ kind, data }) => kind === 'step-begun' && data !== null)
  const passed = pivots.find(({ place }) =>
    history.some((entry) => entry.place === place && /^step-(done|claimed)$/.test(entry.kind)),
  )
  if (passed === undefined) return
  throw new EventspineError(
    'WORKFLOW_PIVOTED',
    `"${workflow}" ${id} is behind its point of no return, step "${passed.name}": it goes on to its end, and nothing is undone. To end it where it stands, terminate it.`,
  )
}

const restartOfEntry = (entry: Entry | undefined) =>
  (JSON.parse(entry?.data ?? '{}') as { readonly restart?: Restart }).restart

function openChildren(history: readonly Entry[]): readonly { place: string; workflow: string; id: string }[] {
  const ended = new Set(history.filter(({ kind }) => kind === 'child-ended').map(({ place }) => place))
  return history
    .filter(({ kind, place }) => kind === 'child-started' && !ended.has(place))
    .map(({ place, name, data }) => ({
      place,
      workflow: name,
      id: (JSON.parse(data ?? '{}') as { id: string }).id,
    }))
}
