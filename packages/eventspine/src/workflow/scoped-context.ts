// The context of one branch: turns what the code asks for into calls of the program, each with its place.
import type { AnyEventDefinition, EventOf, InputOf } from '../event/definition.js'
import type { Event } from '../event/event.js'
import type { HandlerPublishOptions } from '../handle/context.js'
import { EventspineError } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import type {
  Approval,
  ApprovalOptions,
  Branch,
  ChildOptions,
  EventMatch,
  MapOptions,
  StepContext,
  StepOptions,
  WaitOptions,
  WorkflowContext,
} from './context.js'
import type { AnyWorkflow, WorkflowInput, WorkflowOutput } from './definition.js'
import type { Program } from './program.js'
import type { Scope } from './scope.js'

const concurrencyDefault = 10
const namesMax = 200
const sleepMsMax = 3_650 * 86_400_000

export class ScopedContext implements WorkflowContext {
  readonly #program: Program
  readonly #scope: Scope

  constructor(program: Program, scope: Scope) {
    this.#program = program
    this.#scope = scope
  }

  get id(): string {
    return this.#program.name.id
  }

  get tenant(): string {
    return this.#program.name.tenant
  }

  get workflow(): string {
    return this.#program.name.workflow
  }

  get version(): number {
    return this.#program.version
  }

  get log(): Logger {
    return this.#program.logger
  }

  step<Result>(
    name: string,
    action: (ctx: StepContext) => Result | Promise<Result>,
    options: StepOptions<Result> = {},
  ): Promise<Result> {
    checkName('step', name)
    if (typeof action !== 'function')
      throw misused(`step "${name}" has no function; write ctx.step("${name}", () => …)`)
    return this.#program.call(this.#scope, 'step', name, {
      action,
      options: options as StepOptions<unknown>,
    }) as Promise<Result>
  }

  sleep(ms: number): Promise<void> {
    if (!(ms >= 0 && ms <= sleepMsMax))
      throw misused(`ctx.sleep takes milliseconds from 0 to ${sleepMsMax}, ten years, not ${String(ms)}`)
    return this.#program.call(this.#scope, 'sleep', '', { timeoutMs: ms }) as Promise<void>
  }

  sleepUntil(time: Date): Promise<void> {
    const atMs = time instanceof Date ? time.getTime() : Number.NaN
    if (Number.isNaN(atMs) || atMs > this.#program.nowMs + sleepMsMax)
      throw misused('ctx.sleepUntil takes a valid Date, within ten years')
    return this.#program.call(this.#scope, 'sleep', '', { dueAtMs: atMs }) as Promise<void>
  }

  signal<Payload>(name: string, options: WaitOptions = {}): Promise<Payload | undefined> {
    checkName('signal', name)
    return this.#program.call(this.#scope, 'signal', name, timeoutOf(options)) as Promise<Payload | undefined>
  }

  waitFor<Definition extends AnyEventDefinition>(
    event: Definition,
    { key, where = () => true }: EventMatch<Definition>,
    options: WaitOptions = {},
  ): Promise<EventOf<Definition> | undefined> {
    if (!this.#program.waitsFor.some(({ type }) => type === event?.type))
      throw misused(
        `ctx.waitFor takes an event that the workflow lists; write waitsFor: [${event?.type ?? '…'}] in its definition`,
      )
    checkName('key', key)
    return this.#program.call(this.#scope, 'event', event.type, {
      ...timeoutOf(options),
      awaited: { key, where: where as (event: Event) => boolean },
    }) as Promise<EventOf<Definition> | undefined>
  }

  async approval(name: string, options: ApprovalOptions = {}): Promise<Approval | undefined> {
    checkName('approval', name)
    const { to, text } = options
    const answer = await this.#program.call(this.#scope, 'approval', name, {
      ...timeoutOf(options),
      asked: { ...(to === undefined ? {} : { to }), ...(text === undefined ? {} : { text }) },
    })
    if (answer === undefined) return undefined
    const { approved, by, reason, atMs } = answer as Decision
    return { approved, by, reason: reason ?? undefined, at: new Date(atMs) }
  }

  child<Definition extends AnyWorkflow>(
    definition: Definition,
    input: WorkflowInput<Definition>,
    options: ChildOptions = {},
  ): Promise<WorkflowOutput<Definition>> {
    if (definition?.kind !== 'workflow') throw misused('ctx.child takes a workflow made by workflow({ … })')
    return this.#program.call(this.#scope, 'child', definition.name, {
      child: { definition, input, id: options.id },
    }) as Promise<WorkflowOutput<Definition>>
  }

  publish<Definition extends AnyEventDefinition>(
    event: Definition,
    data: InputOf<Definition>,
    options: Omit<HandlerPublishOptions, 'id'> = {},
  ): Promise<{ readonly id: string }> {
    return this.#program.call(this.#scope, 'publish', event.type, {
      publication: { event, data, options },
    }) as Promise<{ readonly id: string }>
  }

  async all<const Branches extends readonly Branch<unknown>[]>(
    branches: Branches,
  ): Promise<{ -readonly [Index in keyof Branches]: Awaited<ReturnType<Branches[Index]>> }> {
    const place = this.#scope.place()
    const ended = await Promise.allSettled(
      branches.map(async (branch, index) => branch(this.#branch(place, index).context)),
    )
    return valuesOf(ended) as never
  }

  async race<Result>(branches: readonly Branch<Result>[]): Promise<Result> {
    const place = this.#scope.place()
    const made = branches.map((_, index) => this.#branch(place, index))
    try {
      return await Promise.race(
        branches.map(async (branch, index) => branch((made[index] as (typeof made)[number]).context)),
      )
    } finally {
      for (const { scope } of made) scope.close()
    }
  }

  async map<Item, Result>(
    items: readonly Item[],
    each: (item: Item, ctx: WorkflowContext, index: number) => Promise<Result>,
    { concurrency = concurrencyDefault }: MapOptions = {},
  ): Promise<Result[]> {
    if (!(Number.isInteger(concurrency) && concurrency >= 1))
      throw misused(`concurrency is ${String(concurrency)}; write a whole number from 1 on`)
    const place = this.#scope.place()
    const ended: PromiseSettledResult<Result>[] = []
    let next = 0
    const lane = async () => {
      while (next < items.length) {
        const index = next++
        const { context } = this.#branch(place, index)
        const [answer] = await Promise.allSettled([
          (async () => each(items[index] as Item, context, index))(),
        ])
        ended[index] = answer
      }
    }
    await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
    return valuesOf(ended)
  }

  now(): Date {
    return new Date(this.#program.nowMs)
  }

  random(): number {
    return this.#program.chance.next()
  }

  uuid(): string {
    return this.#program.chance.uuid()
  }

  #branch(place: string, index: number) {
    const scope = this.#scope.branch(place, index)
    return { scope, context: new ScopedContext(this.#program, scope) }
  }
}

interface Decision {
  readonly approved: boolean
  readonly by: string
  readonly reason: string | null
  readonly atMs: number
}

function valuesOf<Value>(ended: readonly PromiseSettledResult<Value>[]): Value[] {
  return ended.map((each) => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  })
}

const timeoutOf = ({ timeoutMs }: WaitOptions) => {
  if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return {}
  if (!(timeoutMs >= 0 && timeoutMs <= sleepMsMax))
    throw misused(`timeoutMs is ${String(timeoutMs)}; write milliseconds from 0 to ${sleepMsMax}, ten years`)
  return { timeoutMs }
}

function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '' || name.length > namesMax || /[\u0000-\u001f\u007f]/.test(name))
    throw misused(`the name of a ${what} is a text of 1 to ${namesMax} characters`)
}

const misused = (message: string) => new EventspineError('REQUEST_INVALID', `Workflow: ${message}.`)
