// The code of one instance and what it waits for. It is given entries, one by one, and does not know whether they are
// new: a first run and a tenth see the same.
import type { Failure } from '../deliver/port.js'
import type { AnyEventDefinition } from '../event/definition.js'
import { judge, ValidationError } from '../handle/index.js'
import type { Logger } from '../observe/log.js'
import { silentLogger } from '../observe/log.js'
import { Answer } from './answer.js'
import { jsonOf } from './attempt.js'
import { type Asked, Call, type CallKind } from './call.js'
import { Chance } from './chance.js'
import type { UndoContext } from './context.js'
import type { AnyWorkflow } from './definition.js'
import { ChildError, childHalted, type Named, StepError } from './errors.js'
import { dataOf, type Said } from './history.js'
import { Inbox } from './inbox.js'
import { codeOf } from './inside-step.js'
import { checkedCall, checkPromises } from './mismatch.js'
import type { AwaitedOutside, Entry, InstanceName, WorkflowState } from './port.js'
import type { Restart } from './restart.js'
import { Saga } from './saga.js'
import { Scope } from './scope.js'
import { ScopedContext } from './scoped-context.js'
import type { SignalData } from './stimulus.js'

export type ProgramOutcome =
  | { readonly ok: true; readonly json: string | null }
  | { readonly ok: false; readonly error: unknown }

/** An attempt that did not succeed, as it is kept. */
export interface Failed {
  readonly attempt: number
  /** When the next one is due; null when there is none, and a person decides. */
  readonly dueAtMs: number | null
  readonly failure: Failure
}

export interface Cancelled {
  readonly by: string
  readonly reason: string | null
}

/** What only other code can mend. */
const faults = [TypeError, ReferenceError, RangeError, SyntaxError] as const
/** Of dead letters that give way to a wish to end. */
export const yieldingNames: readonly string[] = [...faults.map(({ name }) => name), 'PivotInDoubtError']
export const isFault = (error: unknown) => faults.some((fault) => error instanceof fault)

/** Calls that do something, and do not just wait. */
const works: readonly CallKind[] = ['step', 'child', 'publish']

/** Calls that somebody else answers. */
const answered: readonly CallKind[] = ['approval', 'child', 'signal', 'event']

const never = new Promise<never>(() => {})

export class Program {
  readonly #definition: AnyWorkflow
  readonly #logger: Logger
  readonly #changed: () => void
  readonly #root = Scope.root()
  readonly #inbox = new Inbox()
  readonly #applied: Entry[] = []
  /** Of these nobody may have heard. */
  readonly #failed: (Named & { readonly promise: Answer })[] = []
  readonly saga = new Saga()
  chance: Chance
  /** Not answered yet, by place. */
  readonly calls = new Map<string, Call>()
  /** Ids of the events that it waited for and got. */
  readonly taken = new Set<string>()
  /** False while it goes through what was recorded. */
  live = false
  /** Of the last entry. */
  nowMs = 0
  /** How the code ended; undefined while it runs. */
  outcome: ProgramOutcome | undefined
  cancelled: Cancelled | undefined
  state: WorkflowState = 'running'
  /** What its code asked that the context cannot do. */
  misused: unknown
  /** Everything that had to be undone is. */
  undone = false

  /** `changed` is called when the code called something, or ended. */
  constructor(
    readonly name: InstanceName,
    definition: AnyWorkflow,
    logger: Logger,
    changed: () => void,
  ) {
    this.#definition = definition
    this.#logger = logger
    this.#changed = changed
    this.chance = new Chance(name)
  }

  get version(): number {
    return this.#definition.version
  }

  get waitsFor(): readonly AnyEventDefinition[] {
    return this.#definition.waitsFor
  }

  get logger(): Logger {
    return this.live ? this.#logger : silentLogger
  }

  misuse(error: unknown): void {
    this.misused ??= error
    this.#changed()
  }

  /** A fault of the code is mended by deploying it, and behind the point of no return nothing can be taken back. */
  get parks(): boolean {
    if (this.cancelled !== undefined || this.outcome?.ok !== false) return false
    return this.saga.pivoted || isFault(this.outcome.error)
  }

  /** Why it does not complete, as it is kept. */
  get why(): object {
    if (this.cancelled !== undefined) return { cancelled: this.cancelled }
    return { failure: judge(this.outcome?.ok === false ? this.outcome.error : undefined) }
  }

  get children(): readonly Call[] {
    return [...this.calls.values()].filter(({ kind, begun }) => kind === 'child' && begun)
  }

  /** The code has neither ended nor does it wait for anything of its context. */
  get awaitsForeign(): boolean {
    if (this.state === 'compensating' || this.outcome !== undefined || this.abandoned) return false
    return ![...this.calls.values()].some((call) => this.wants(call))
  }

  /** It stands where a wish to end would undo what it did. */
  get mayEnd(): boolean {
    return this.state === 'running' && this.cancelled === undefined && !this.saga.pivoted
  }

  /** The end of a child, which behind the point of no return is none until it completes: a person restarts it. */
  judgedChild(said: Said): Said {
    if (said.kind !== 'child-ended' || !this.saga.pivoted) return said
    const { state } = said.data as ChildEnd
    return state === 'completed' ? said : { ...said, kind: 'child-failed' }
  }

  childHalted(place: string): Error | undefined {
    const call = this.calls.get(place)
    return call?.halted ? childHalted(call) : undefined
  }

  /** The events and decisions that it waits for. */
  get awaits(): readonly AwaitedOutside[] {
    const wanted = [...this.calls.values()].filter((call) => this.wants(call))
    return wanted.flatMap(({ outside }) => outside ?? [])
  }

  /** Its code is not followed any further. */
  get abandoned(): boolean {
    return this.cancelled !== undefined || this.outcome?.ok === false || this.state !== 'running'
  }

  /** An attempt or a timer of it may begin. */
  wants(call: Call): boolean {
    return call.kind === 'undo' ? !this.undone : call.scope.open && !this.abandoned
  }

  /** What waits for somebody else's answer, which nobody needs any more: its branch lost a race. */
  withdraws({ kind, begun, scope }: Call): boolean {
    return answered.includes(kind) && begun && !scope.open && !this.abandoned
  }

  /** What its code began and ended without: it would be lost. Or it failed, and nobody waited to hear of it. */
  get forgotten(): Named | undefined {
    if (this.outcome?.ok !== true) return undefined
    const lost = [...this.calls.values()].find((call) => works.includes(call.kind) && this.wants(call))
    return lost ?? this.#failed.find(({ promise }) => !promise.heard)
  }

  /** What branches together come to: their failure must be heard, too. */
  together<Answered>(kind: 'all' | 'race' | 'map', work: Promise<Answered>): Promise<Answered> {
    const promise = Answer.of(work)
    return promise.watch(() => this.#failed.push({ kind, name: '', promise })) as Promise<Answered>
  }

  /** Runs the code up to its first calls. */
  async start(input: unknown): Promise<void> {
    const given = await this.#checked(input)
    const context = new ScopedContext(this, this.#root)
    const misuse = (error: unknown) => this.misuse(error)
    void codeOf(this.#root, misuse, async () => this.#definition.run(context, given as never))
      .then((value): ProgramOutcome => ({ ok: true, json: jsonOf('the workflow', value) }))
      .catch((error: unknown): ProgramOutcome => ({ ok: false, error }))
      .then((outcome) => {
        this.outcome ??= outcome
        this.#changed()
      })
  }

  async #checked(input: unknown): Promise<unknown> {
    const schema = this.#definition.input
    if (schema === undefined) return input
    const result = await schema['~standard'].validate(input)
    if (result.issues === undefined) return result.value
    throw new ValidationError(
      `The input of ${this.name.id} does not fit the schema of "${this.name.workflow}" version ${this.version}: ${result.issues[0]?.message}. Was the schema changed without a new version?`,
    )
  }

  call(scope: Scope, kind: CallKind, name: string, asked: Asked): Promise<unknown> {
    const place = scope.place()
    if (!scope.open || this.abandoned) return never
    const call = new Call(scope, place, kind, name, asked)
    if (kind === 'signal' && this.#inbox.answer(name, call)) return call.promise
    this.calls.set(place, call)
    this.#changed()
    return call.promise
  }

  /** Throws NonDeterminismError when the code did not call what the entry answers. */
  apply(entry: Entry): void {
    this.nowMs = entry.atMs
    this.#applied.push(entry)
    switch (entry.kind) {
      case 'started':
        return this.#started(dataOf(entry))
      case 'deadline-passed':
        return
      case 'signal':
        return this.#signalled(entry)
      case 'cancel-requested':
        return this.#cancel(dataOf(entry))
      case 'compensating':
        return this.#compensate()
      case 'ended':
        this.state = dataOf<{ readonly state: WorkflowState }>(entry).state
        return
      default:
        return this.#answer(entry, this.#callOf(entry))
    }
  }

  // What it draws is what the one that it goes on for drew.
  #started({ restart }: { readonly restart?: Restart }): void {
    if (restart !== undefined) this.chance = new Chance({ ...this.name, id: restart.root })
  }

  #callOf(entry: Entry): Call {
    const who = { ...this.name, version: this.version }
    return checkedCall(entry, this.calls.get(entry.place), who, this.#applied, this.calls.values())
  }

  #answer(entry: Entry, call: Call): void {
    if (call.kind === 'step' && !call.begun)
      checkPromises(entry, call, { ...this.name, version: this.version })
    call.begun = true
    switch (entry.kind) {
      case 'step-begun':
        return this.saga.begin(call)
      case 'asked':
        call.askedAt = entry.position
        return
      case 'timer-set':
        call.dueAtMs = dataOf<{ readonly dueAtMs: number }>(entry).dueAtMs
        return
      case 'step-failed':
      case 'undo-failed':
        return failedOnce(call, dataOf(entry))
      case 'step-done':
        return this.#stepDone(call, entry)
      case 'step-dead':
        return this.#fail(call, new StepError(call.name, dataOf(entry)))
      case 'occurred':
        this.taken.add(dataOf<{ readonly id: string }>(entry).id)
        return this.#end(call, () => call.resolve(dataOf(entry)))
      case 'timer-fired':
        this.#forget(call)
        return this.#end(call, () => call.resolve(undefined))
      case 'withdrawn':
        this.#forget(call)
        return this.#end(call, () => {})
      case 'child-failed':
        call.halted = true
        call.ended = dataOf(entry)
        return
      case 'child-ended':
        return this.#childEnded(call, dataOf(entry))
      case 'published':
        return this.#end(call, () => call.resolve(dataOf(entry)))
      case 'undo-done':
        return this.#end(call, () => call.resolve(undefined))
      default:
        return
    }
  }

  #end(call: Call, settle: () => void): void {
    this.calls.delete(call.place)
    settle()
  }

  #fail(call: Call, error: Error): void {
    this.#failed.push(call)
    this.#end(call, () => call.reject(error))
  }

  #childEnded(call: Call, { id, state, output, failure }: ChildEnd): void {
    if (state === 'completed') this.#end(call, () => call.resolve(output))
    else this.#fail(call, new ChildError(call.name, id, state, failure))
  }

  #forget(call: Call): void {
    if (call.kind === 'signal') this.#inbox.forget(call.name, call)
  }

  #stepDone(call: Call, entry: Entry): void {
    // Each reader has its own copy: what the code does to it must not show when it is undone.
    this.saga.done(call, dataOf(entry))
    this.#end(call, () => call.resolve(dataOf(entry)))
  }

  #signalled(entry: Entry): void {
    const { payload, question, dropped } = dataOf<Omit<SignalData, 'name'>>(entry)
    if (question === undefined) {
      const call = this.#inbox.deliver(entry.name, payload)
      if (call !== undefined) this.calls.delete(call.place)
    } else if (dropped === undefined) {
      const call = this.#asked(entry.name, question)
      if (call !== undefined) this.#end(call, () => call.resolve(payload))
    }
  }

  #asked(approval: string, place: string): Call | undefined {
    const call = this.calls.get(place)
    return call?.kind === 'approval' && call.name === approval && call.scope.open ? call : undefined
  }

  /** Whether it waits for that decision now. */
  asks(approval: string, place: string): boolean {
    return !this.abandoned && this.#asked(approval, place) !== undefined
  }

  // Behind the point of no return, while it undoes, and when its code has ended anyhow, it is too late. A fault of the code
  // is no end.
  #cancel(cancelled: Cancelled): void {
    const hasEnded = this.outcome !== undefined && (this.outcome.ok || !isFault(this.outcome.error))
    const isLate = this.saga.pivoted || this.#mayPass || hasEnded
    if (this.state === 'running' && !isLate) this.cancelled ??= cancelled
  }

  // A pivot that has begun may be through already: it comes to its end first, unless a person was left to say that it is not.
  get #mayPass(): boolean {
    return [...this.calls.values()].some(
      ({ begun, halted, asked: { options } }) =>
        begun && !halted && options?.pivot === true && options.undo === undefined,
    )
  }

  #compensate(): void {
    this.state = 'compensating'
    void this.#undoAll().then(() => {
      this.undone = true
      this.#changed()
    })
  }

  // One after another: what was done last may stand on what was done before.
  async #undoAll(): Promise<void> {
    for (const { call: step, result } of this.saga.reversed()) {
      const { undo, undoRetry: retry, deadlineMs, undoDeadlineMs = deadlineMs } = step.asked.options ?? {}
      const options = {
        ...(retry !== undefined && { retry }),
        ...(undoDeadlineMs !== undefined && { deadlineMs: undoDeadlineMs }),
      }
      const call = new Call(this.#root, `${step.place}/undo`, 'undo', step.name, {
        ...{ action: (context) => undo?.(result, context as UndoContext), options },
      })
      call.undoes = step
      this.calls.set(call.place, call)
      this.#changed()
      await call.promise
    }
  }
}

// Who comes here behind the last attempt was sent again by a person: the attempts before are not held against it.
function failedOnce(call: Call, { attempt, dueAtMs }: Failed): void {
  call.attempts = dueAtMs === null ? 0 : attempt
  call.halted = dueAtMs === null
  call.dueAtMs = dueAtMs ?? undefined
}

export interface ChildEnd {
  readonly id: string
  readonly state: WorkflowState
  readonly output?: unknown
  readonly failure?: Failure
}
