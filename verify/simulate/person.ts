// The person at the console: pauses, redrives, replays and discards in the middle of everything, through whichever
// process answers, and clears up at the end.
import type { Operation } from './plan.js'
import type { SimulatedProcess } from './process.js'
import type { World } from './world.js'

const actor = 'operator'

export class Person {
  readonly #world: World
  readonly #processes: () => readonly SimulatedProcess[]
  #asked = 0
  readonly #resumedAt = new Map<string, number>()
  /** Asked for and not answered, by subscription: these may come to pass at any time. */
  readonly #resuming = new Map<string, number>()

  constructor(world: World, processes: () => readonly SimulatedProcess[]) {
    this.#world = world
    this.#processes = processes
  }

  /** Plans what is done while there are faults. */
  start(): void {
    const { plan, clock, dice } = this.#world
    if (plan.operations.length === 0) return
    for (let index = 0; index < plan.operationsMax; index++) {
      const operation = dice.pick(plan.operations)
      clock.after(
        dice.between(plan.faultsMs / 4, plan.faultsMs),
        () => void this.#do(operation).catch(() => {}),
      )
    }
  }

  get #operator() {
    const ready = this.#processes().filter((process) => process.alive && process.spine.ready())
    return ready.length === 0 ? undefined : this.#world.dice.pick(ready).spine.operator()
  }

  async #do(operation: Operation): Promise<void> {
    const { dice, tally, trace, plan } = this.#world
    const operator = this.#operator
    if (operator === undefined) return
    const subscription = dice.pick(plan.subscriptions).name
    tally.met(`operator: ${operation}`)
    trace.say('person', `${operation} ${subscription}`)
    if (operation === 'pause') return this.#pause(subscription)
    if (operation === 'redrive') return void (await this.#redrive(subscription))
    if (operation === 'redrive twice') return this.#redriveTwice(subscription)
    if (operation === 'discard') return void (await operator.discard({ subscription }, actor, 'not wanted'))
    if (operation === 'replay') return void (await operator.replay({ subscription, actor }))
    if (operation === 'breaker')
      return operator.setBreaker({ name: 'downstream' }, dice.pick(['open', 'closed']), actor)
    return this.#stop(operation)
  }

  async #stop(operation: 'stop replay' | 'stop redrive'): Promise<void> {
    const { tables, dice } = this.#world
    const running = [...(operation === 'stop replay' ? tables.replays : tables.redrives).values()].filter(
      ({ state }) => state === 'running' || state === 'canary',
    )
    if (running.length === 0) return
    const { id } = dice.pick(running)
    if (operation === 'stop replay') await this.#operator?.stopReplay(id, actor)
    else await this.#operator?.stopRedrive(id, actor, 'enough')
  }

  async #pause(subscription: string): Promise<void> {
    const { dice, clock, ledger, trace, tally } = this.#world
    const askedAt = trace.order
    await this.#operator?.pause(subscription, actor)
    // Resumed by another hand since it was asked for: the answer says nothing about now.
    if ((this.#resumedAt.get(subscription) ?? -1) >= askedAt) return
    // The same where an earlier one is still on its way.
    if ((this.#resuming.get(subscription) ?? 0) > 0) return
    const ackedAt = trace.say('person', `${subscription} is paused`)
    const span = { subscription, ackedAt, until: Number.POSITIVE_INFINITY }
    ledger.pauses.push(span)
    tally.met('paused')
    await clock.sleep(dice.between(50, 1_500))
    await this.#resume(subscription, () => this.#operator?.resume(subscription, actor))
  }

  async #resume(subscription: string, ask: () => Promise<unknown> | undefined): Promise<void> {
    const { ledger, trace } = this.#world
    const order = trace.say('person', `resumes ${subscription}`)
    this.#resumedAt.set(subscription, order)
    // From the question on: its answer may be lost.
    for (const span of ledger.pauses)
      if (span.subscription === subscription) span.until = Math.min(span.until, order)
    this.#resuming.set(subscription, (this.#resuming.get(subscription) ?? 0) + 1)
    await ask()
    this.#resuming.set(subscription, (this.#resuming.get(subscription) ?? 0) - 1)
  }

  #redrive(subscription: string, idempotencyKey?: string) {
    const { dice } = this.#world
    return this.#operator?.redrive({
      filter: { subscription },
      rate: dice.pick([5, 50]),
      canary: dice.pick([0, 1, 10]),
      stopAtErrorRate: dice.pick([0.5, 1]),
      actor,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    })
  }

  async #redriveTwice(subscription: string): Promise<void> {
    const { ledger } = this.#world
    const key = `ask-${++this.#asked}`
    const [first, second] = await Promise.all([
      this.#redrive(subscription, key),
      this.#redrive(subscription, key),
    ])
    if (first !== undefined && second !== undefined && first.id !== second.id)
      ledger.violated('I29', `one request for a redrive made two, ${first.id} and ${second.id}`)
  }

  // ── clearing up ──

  /** Lets everything run again that was held. Asked again: a pause that was on its way may still arrive. */
  async heal(): Promise<void> {
    const { plan, tables, store } = this.#world
    for (const { name } of plan.subscriptions) {
      if (tables.subscriptions.get(name)?.state !== 'paused') continue
      await this.#resume(name, () => store.resume(name, actor))
    }
    for (const { name, tenant, key, state } of tables.breakers.values())
      if (state === 'open') await store.breakerSet({ name, tenant, key }, 'closed', 0, actor)
  }

  /** Gives up what halts its key, so that the rest of the key can go on. */
  async decide(): Promise<void> {
    const { plan, trace } = this.#world
    trace.say('person', 'gives up what is dead')
    for (const { name } of plan.subscriptions)
      await this.#operator?.discard({ subscription: name }, actor, 'decided')
  }
}
