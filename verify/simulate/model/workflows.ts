// The workflows of a sequence: histories that grow under a lease, timers, what instances wait for, and a look at all of them.
import {
  decisionType,
  type Entry,
  type Lease,
  type Recording,
  type StoredEvent,
  type WorkflowState,
} from '../engine.js'
import { type Choices, longMs, tenants } from './choices.js'
import type { Publishers } from './publishers.js'
import type { ModelStore } from './stores.js'

const ids = ['w-1', 'w-2']
const names = ['checkout', 'refund']
const keys = ['a', 'b']
const eventType = 'model.happened'
const ends: readonly WorkflowState[] = ['completed', 'failed', 'compensated', 'cancelled']
const states: readonly WorkflowState[] = ['running', 'running', 'running', 'running', 'compensating', ...ends]
const kinds = ['step-begun', 'step-done', 'timer-set', 'signal'] as const
/** Between two moments at which timers are due: more than a sequence takes. */
const apartMs = 1_000_000
const pageMax = 2

export type WorkflowKind =
  | 'record workflows'
  | 'record workflows again'
  | 'load workflows'
  | 'end workflow'
  | 'wake workflows'
  | 'look for events'
  | 'list workflows'

type Named = Pick<Recording, 'tenant' | 'workflow' | 'id'>

export class ModelWorkflows {
  readonly #made: ModelStore
  readonly #publishers: Publishers
  readonly #lease: (choose: Choices) => Lease | undefined
  readonly #log: readonly StoredEvent[]
  #last: readonly Recording[] = []
  #said = 0

  /** `log`: what was read so far; it grows. */
  constructor(
    made: ModelStore,
    publishers: Publishers,
    lease: (choose: Choices) => Lease | undefined,
    log: readonly StoredEvent[],
  ) {
    this.#made = made
    this.#publishers = publishers
    this.#lease = lease
    this.#log = log
  }

  readonly runs: Record<WorkflowKind, (choose: Choices) => Promise<unknown>> = {
    'record workflows': (choose) => this.#record(choose, this.#lease(choose)),
    'record workflows again': () => this.#recordAgain(),
    'load workflows': (choose) => this.#load(choose),
    'end workflow': (choose) => this.#end(choose),
    'wake workflows': (choose) => this.#wake(choose),
    'look for events': (choose) => this.#look(choose),
    'list workflows': (choose) => this.#list(choose),
  }

  /** One instance goes on, or several at once; now and then as somebody who is late would have it. */
  async #record(choose: Choices, lease: Lease | undefined): Promise<unknown> {
    if (lease === undefined) return 'none'
    const named = new Map<string, Named>()
    for (let count = choose.between(1, 3); count > 0; count--) {
      const name = nameOf(choose)
      named.set(Object.values(name).join(), name)
    }
    const recordings: Recording[] = []
    for (const name of named.values()) recordings.push(await this.#recording(choose, name, lease))
    this.#last = recordings
    return [...(await this.#made.store.recordWorkflows(recordings))].sort()
  }

  /** As if the answer had been lost on its way. */
  async #recordAgain(): Promise<unknown> {
    return [...(await this.#made.store.recordWorkflows(this.#last))].sort()
  }

  async #recording(choose: Choices, name: Named, lease: Lease): Promise<Recording> {
    const { nowMs, found } = await this.#made.store.loadWorkflows([name])
    const known = found[0]?.instance
    const ended = known !== undefined && known.endedAtMs !== null
    const state = ended ? known.state : (choose.pick(states) ?? 'running')
    const late = known !== undefined && choose.next() < 0.1
    const from = (known?.entries ?? 0) + (late ? choose.between(-1, 1) : 0)
    const token = lease.token - (choose.next() < 0.1 ? 1 : 0)
    const { subscription, replay, shard } = lease
    const goesOn = !ended && !ends.includes(state)
    const wakeInMs = goesOn ? choose.pick([null, -apartMs, -2 * apartMs, longMs]) : null
    const deadlineInMs = choose.pick([longMs, 0]) ?? longMs
    return {
      ...{ ...name, consumer: { subscription, replay, shard, token }, from, state },
      entries: this.#entries(choose, from, !ended && ends.includes(state)),
      wakeAtMs: wakeInMs == null ? null : nowMs + wakeInMs,
      published: choose.next() < 0.3 ? this.#publishers.ofEngine(choose) : [],
      awaited: goesOn ? this.#awaited(choose, from) : ended ? null : [],
      made:
        known === undefined
          ? { version: choose.between(1, 2), parent: parentOf(choose), deadlineInMs }
          : null,
    }
  }

  #entries(choose: Choices, from: number, last: boolean): Entry[] {
    const count = choose.between(1, 3)
    return Array.from({ length: count }, (_, index) => ({
      position: from + index,
      kind: last && index === count - 1 ? 'ended' : (choose.pick(kinds) ?? 'signal'),
      ...{ place: String(index), name: choose.pick(['', 'pay']) ?? '' },
      data: choose.pick([null, `{"said": ${++this.#said}}`, '"ü \\u0041"']) ?? null,
      atMs: 1_000 * from + index,
    }))
  }

  // Asked by the first entry that is recorded with it.
  #awaited(choose: Choices, position: number): Recording['awaited'] {
    if (choose.next() < 0.5) return null
    return Array.from({ length: choose.between(0, 2) }, (_, index) => {
      const [place, key] = [String(index), choose.pick(keys) ?? 'a']
      if (choose.next() < 0.5) return { place, key, type: eventType }
      const dueAtMs = choose.pick([null, longMs]) ?? null
      return { place, key, type: decisionType, question: { position, dueAtMs } }
    })
  }

  async #load(choose: Choices): Promise<unknown> {
    const asked = [nameOf(choose), nameOf(choose)]
    const { found } = await this.#made.store.loadWorkflows(asked)
    return found.map((each) => each && { instance: timeless(each.instance), history: each.history.map(told) })
  }

  async #end(choose: Choices): Promise<unknown> {
    const name = nameOf(choose)
    const { found } = await this.#made.store.loadWorkflows([name])
    const entries = (found[0]?.instance.entries ?? 0) - (choose.next() < 0.2 ? 1 : 0)
    const published = choose.next() < 0.5 ? this.#publishers.ofEngine(choose) : []
    return this.#made.store.endWorkflow(
      name,
      entries,
      { state: 'terminated', data: '{"by":"model"}' },
      published,
      { actor: 'model', action: 'workflow.terminate', target: name.id, details: {} },
    )
  }

  async #wake(choose: Choices): Promise<unknown> {
    const woken: unknown[] = []
    const count = await this.#made.store.wakeWorkflows(choose.between(1, 3), (each) => {
      woken.push([each.tenant, each.workflow, each.id, each.cause])
      return []
    })
    const nextMs = await this.#made.store.nextWakeMs()
    return {
      count,
      woken: woken.sort(),
      next: nextMs === null ? 'never' : nextMs > longMs / 2 ? 'later' : 'now',
    }
  }

  /** Who waits for an event, and whether it is there. */
  async #look(choose: Choices): Promise<unknown> {
    const { store } = this.#made
    const asked = { tenant: choose.pick(tenants) ?? 'one', type: eventType, key: choose.pick(keys) ?? 'a' }
    const waiting = await store.awaiting(names.map((workflow) => ({ ...asked, workflow })))
    const log = this.#log
    const since = choose.pick(log)?.id ?? 'nothing'
    const taken = log.filter(() => choose.next() < 0.2).map(({ id }) => id)
    const after = choose.next() < 0.3 ? (choose.pick(log)?.seq ?? 0) : 0
    const found = await store.occurrences({ ...asked, since, taken, after })
    return {
      waiting: waiting.map((each) => [...each].sort()),
      found: found.map(({ id, data }) => [id, data]),
    }
  }

  /** Page by page, by what people ask for; and one of them whole. */
  async #list(choose: Choices): Promise<unknown> {
    const { store } = this.#made
    const query = {
      ...(choose.next() < 0.5 ? { tenant: choose.pick(tenants) ?? 'one' } : {}),
      ...(choose.next() < 0.5 ? { workflow: choose.pick(names) ?? 'checkout' } : {}),
      ...optional(
        'state',
        choose.pick([
          ...([undefined, 'open', 'needs-attention', 'awaiting-approval', 'running', 'completed'] as const),
        ]),
      ),
    }
    const pages: unknown[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await store.workflows({ ...query, ...optional('cursor', cursor), limit: pageMax })
      pages.push(page.items.map(({ attention, ...instance }) => [timeless(instance), attention !== null]))
      cursor = page.cursor
    }
    const name = nameOf(choose)
    const whole = await store.workflow(name)
    return { pages, end: await store.workflowEnd(name), entries: whole?.history.length ?? null }
  }
}

const nameOf = (choose: Choices): Named => ({
  tenant: choose.pick(tenants) ?? 'one',
  workflow: choose.pick(names) ?? 'checkout',
  id: choose.pick(ids) ?? 'w-1',
})

const parentOf = (choose: Choices) =>
  choose.next() < 0.3 ? { workflow: 'checkout', id: 'w-9', place: '4.1/0' } : null

const optional = <Name extends string, Value>(name: Name, value: Value | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: Value }

/** What the store itself wrote carries a moment of its own clock. */
const told = ({ atMs, ...entry }: Entry) => ({ ...entry, atMs: atMs < longMs ? atMs : 'then' })

/** Moments are those of two clocks: whether there is one is the same. */
function timeless(instance: object): object {
  return Object.fromEntries(
    Object.entries(instance).map(([name, value]) => [name, name.endsWith('Ms') ? value !== null : value]),
  )
}
