// The context of one branch: turns what the code asks for into calls of the program, each with its place.
import type { AnyEventDefinition, EventOf, InputOf } from '../event/definition.js'
import type { Event } from '../event/event.js'
import type { HandlerPublishOptions } from '../handle/context.js'
import type { Logger } from '../observe/log.js'
import type { Asked, CallKind } from './call.js'
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
import { MisuseError } from './errors.js'
import { checkOutside, ForeignContextError } from './inside-step.js'
import type { Program } from './program.js'
import type { Scope } from './scope.js'

const concurrencyDefault = 10
const namesMax = 200
const approvalTextMax = 10_000
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
    return this.#promised(() => {
      checkName('step', name)
      if (typeof action !== 'function')
        throw misused(`step "${name}" has no function; write ctx.step("${name}", () => …)`)
      checkStepOptions(name, options as StepOptions<unknown>)
      return this.#call('step', name, { action, options: options as StepOptions<unknown> }) as Promise<Result>
    })
  }

  sleep(ms: number): Promise<void> {
    return this.#promised(() => {
      if (!isMs(ms, 0, sleepMsMax))
        throw misused(`ctx.sleep takes milliseconds from 0 to ${sleepMsMax}, ten years, not ${shown(ms)}`)
      return this.#call('sleep', '', { timeoutMs: ms }) as Promise<void>
    })
  }

  sleepUntil(time: Date): Promise<void> {
    return this.#promised(() => {
      const atMs = time instanceof Date ? time.getTime() : Number.NaN
      if (Number.isNaN(atMs) || atMs > this.#program.nowMs + sleepMsMax)
        throw misused('ctx.sleepUntil takes a valid Date, within ten years')
      return this.#call('sleep', '', { dueAtMs: atMs }, 'sleepUntil') as Promise<void>
    })
  }

  signal<Payload>(name: string, options: WaitOptions = {}): Promise<Payload | undefined> {
    return this.#promised(() => {
      checkName('signal', name)
      checkOptions('signal', options, ['timeoutMs'])
      return this.#call('signal', name, timeoutOf(options)) as Promise<Payload | undefined>
    })
  }

  waitFor<Definition extends AnyEventDefinition>(
    event: Definition,
    { key, where = () => true }: EventMatch<Definition>,
    options: WaitOptions = {},
  ): Promise<EventOf<Definition> | undefined> {
    return this.#promised(() => {
      if (!this.#program.waitsFor.some(({ type }) => type === event?.type))
        throw misused(
          `ctx.waitFor takes an event that the workflow lists; write waitsFor: [${event?.type ?? '…'}] in its definition`,
        )
      checkName('key', key)
      checkOptions('waitFor', options, ['timeoutMs'])
      return this.#call(
        'event',
        event.type,
        { ...timeoutOf(options), awaited: { key, where: where as (event: Event) => boolean } },
        'waitFor',
      ) as Promise<EventOf<Definition> | undefined>
    })
  }

  approval(name: string, options: ApprovalOptions = {}): Promise<Approval | undefined> {
    return this.#promised(() => {
      checkName('approval', name)
      checkOptions('approval', options, ['timeoutMs', 'to', 'text'])
      const { to, text } = options
      for (const [option, given] of Object.entries({ to, text }))
        if (given !== undefined && !(typeof given === 'string' && given.length <= approvalTextMax))
          throw misused(
            `${option} of approval "${name}" must be a text of at most ${approvalTextMax} characters`,
          )
      return this.#call('approval', name, {
        ...timeoutOf(options),
        asked: { ...(to === undefined ? {} : { to }), ...(text === undefined ? {} : { text }) },
      }).then((answer) => {
        if (answer === undefined) return undefined
        const { approved, by, reason, atMs } = answer as Decision
        return { approved, by, reason: reason ?? undefined, at: new Date(atMs) }
      })
    })
  }

  child<Definition extends AnyWorkflow>(
    definition: Definition,
    input: WorkflowInput<Definition>,
    options: ChildOptions = {},
  ): Promise<WorkflowOutput<Definition>> {
    return this.#promised(() => {
      if (definition?.kind !== 'workflow') throw misused('ctx.child takes a workflow made by workflow({ … })')
      checkOptions('child', options, ['id'])
      return this.#call('child', definition.name, {
        child: { definition, input, id: options.id },
      }) as Promise<WorkflowOutput<Definition>>
    })
  }

  publish<Definition extends AnyEventDefinition>(
    event: Definition,
    data: InputOf<Definition>,
    options: Omit<HandlerPublishOptions, 'id'> = {},
  ): Promise<{ readonly id: string }> {
    return this.#promised(() => {
      if (typeof event?.type !== 'string')
        throw misused('ctx.publish takes an event made by defineEvent({ … })')
      return this.#call('publish', event.type, {
        publication: { event, data, options },
      }) as Promise<{ readonly id: string }>
    })
  }

  all<const Branches extends readonly Branch<unknown>[]>(
    branches: Branches,
  ): Promise<{ -readonly [Index in keyof Branches]: Awaited<ReturnType<Branches[Index]>> }> {
    return this.#promised(() => {
      checkBranches('all', branches)
      const place = this.#place('all')
      const begun = branches.map(async (branch, index) => branch(this.#branch(place, index).context))
      return this.#program.together('all', Promise.allSettled(begun).then(valuesOf)) as never
    })
  }

  race<Result>(branches: readonly Branch<Result>[]): Promise<Result> {
    return this.#promised(() => {
      checkBranches('race', branches)
      if (branches.length === 0)
        throw misused('ctx.race takes one branch at least: of none nothing would ever end')
      const place = this.#place('race')
      const made = branches.map((branch, index) => ({ branch, ...this.#branch(place, index) }))
      const first = Promise.race(made.map(async ({ branch, context }) => branch(context)))
      return this.#program.together(
        'race',
        first.finally(() => {
          for (const { scope } of made) scope.close()
        }),
      )
    })
  }

  map<Item, Result>(
    items: readonly Item[],
    each: (item: Item, ctx: WorkflowContext, index: number) => Promise<Result>,
    options: MapOptions = {},
  ): Promise<Result[]> {
    return this.#promised(() => {
      checkOptions('map', options, ['concurrency'])
      const { concurrency = concurrencyDefault } = options
      if (!(Number.isInteger(concurrency) && concurrency >= 1))
        throw misused(`concurrency is ${String(concurrency)}; write a whole number from 1 on`)
      if (!Array.isArray(items) || typeof each !== 'function')
        throw misused('ctx.map takes an array and a function: ctx.map(items, (item, ctx, index) => …)')
      return this.#program.together('map', this.#map(items, each, concurrency, this.#place('map')))
    })
  }

  async #map<Item, Result>(
    items: readonly Item[],
    each: (item: Item, ctx: WorkflowContext, index: number) => Promise<Result>,
    concurrency: number,
    place: string,
  ): Promise<Result[]> {
    const ended: PromiseSettledResult<Result>[] = []
    let next = 0
    let failed = false
    const lane = async () => {
      while (next < items.length && !failed) {
        const index = next++
        const { context } = this.#branch(place, index)
        const [answer] = await Promise.allSettled([
          (async () => each(items[index] as Item, context, index))(),
        ])
        ended[index] = answer
        failed ||= answer.status === 'rejected'
      }
    }
    await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
    return valuesOf(ended)
  }

  now(): Date {
    return new Date(this.#program.nowMs)
  }

  random(): number {
    checkOutside(this.#scope, 'random')
    return this.#program.chance.next()
  }

  uuid(): string {
    checkOutside(this.#scope, 'uuid')
    return this.#program.chance.uuid()
  }

  // Thrown where it stands it would end the process: whoever calls from a timer, say, catches a promise at best. The instance
  // hears of it also where the code does not.
  #promised<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    try {
      return ask()
    } catch (error) {
      if (!(error instanceof ForeignContextError)) this.#program.misuse(error)
      return awaitedLater(Promise.reject(error))
    }
  }

  #call(kind: CallKind, name: string, asked: Asked, method: string = kind): Promise<unknown> {
    checkOutside(this.#scope, method)
    return this.#program.call(this.#scope, kind, name, asked)
  }

  #place(method: string): string {
    checkOutside(this.#scope, method)
    return this.#scope.place()
  }

  #branch(place: string, index: number) {
    const scope = this.#scope.branch(place, index)
    return { scope, context: new ScopedContext(this.#program, scope) }
  }
}

/** Who awaits it behind another call must not end the process when it rejects before. */
function awaitedLater<Answer>(promise: Promise<Answer>): Promise<Answer> {
  promise.catch(() => {})
  return promise
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

/** A text of digits would be put behind a time instead of added to it. */
const isMs = (ms: unknown, min: number, max: number) => typeof ms === 'number' && ms >= min && ms <= max
const shown = (value: unknown) => (typeof value === 'string' ? `the text "${value}"` : String(value))

const timeoutOf = ({ timeoutMs }: WaitOptions) => {
  if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) return {}
  if (!isMs(timeoutMs, 0, sleepMsMax))
    throw misused(`timeoutMs is ${shown(timeoutMs)}; write milliseconds from 0 to ${sleepMsMax}, ten years`)
  return { timeoutMs }
}

function checkBranches(method: string, branches: unknown): void {
  if (!Array.isArray(branches) || !branches.every((branch) => typeof branch === 'function'))
    throw misused(
      `ctx.${method} takes an array of functions, each of which is given a context of its own: ctx.${method}([(ctx) => ctx.step(…)])`,
    )
}

function checkOptions(method: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw misused(`ctx.${method} has no option "${name}"; there ${listed(known)}`)
}

const listed = (names: readonly string[]) => `${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`

const stepOptions = ['retry', 'deadlineMs', 'undo', 'undoRetry', 'undoDeadlineMs', 'pivot']
/** The longest that a timer takes. */
const deadlineMsMax = 2_147_483_647

function checkStepOptions(step: string, options: StepOptions<unknown>): void {
  checkOptions('step', options, stepOptions)
  const { deadlineMs = 1, undoDeadlineMs = 1, undo, retry, undoRetry, pivot = false } = options
  for (const [name, ms] of Object.entries({ deadlineMs, undoDeadlineMs }))
    if (!isMs(ms, 1, deadlineMsMax))
      throw misused(
        `${name} of step "${step}" is ${shown(ms)}; write milliseconds from 1 to ${deadlineMsMax}`,
      )
  if (undo !== undefined && typeof undo !== 'function')
    throw misused(`undo of step "${step}" must be a function: (result, ctx) => …`)
  if (typeof pivot !== 'boolean') throw misused(`pivot of step "${step}" is true or false`)
  for (const policy of [retry, undoRetry])
    if (policy !== undefined && typeof policy?.delayMs !== 'function')
      throw misused(
        `step "${step}" has no such retry policy; write retries.standard() or another of "retries"`,
      )
}

function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '' || name.length > namesMax || /[\u0000-\u001f\u007f]/.test(name))
    throw misused(`the name of a ${what} is a text of 1 to ${namesMax} characters`)
}

const misused = (message: string) => new MisuseError(message)
