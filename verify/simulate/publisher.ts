// Those who publish: each publication is a fact that they may state once, again after an unknown outcome, under an id
// that is taken, or inside a transaction of their own that stays open for a while.
import type { EventspineError } from 'eventspine'
import type { SimulatedProcess } from './process.js'
import { placed } from './subject.js'
import type { World } from './world.js'

interface Intent {
  readonly fact: string
  readonly tenant: string
  readonly key: string
  readonly id: string | undefined
  readonly group: string | undefined
}

export class Publisher {
  readonly #world: World
  readonly #processes: () => readonly SimulatedProcess[]
  #named = 0
  #committedLast = 0
  /** Publications and transactions under way. */
  busy = 0

  constructor(world: World, processes: () => readonly SimulatedProcess[]) {
    this.#world = world
    this.#processes = processes
  }

  /** Plans all publications of the schedule. */
  start(): void {
    const { plan, clock, dice } = this.#world
    const burstAt = dice.between(0, plan.faultsMs)
    for (let index = 0; index < plan.publications; index++) {
      const atMs = plan.burst && dice.chance(0.7) ? burstAt : dice.between(0, plan.faultsMs)
      this.busy++
      clock.after(atMs, () => {
        this.busy--
        this.#publish(
          plan.burst && atMs === burstAt ? 'tenant-0' : `tenant-${dice.between(0, plan.tenants - 1)}`,
        )
      })
    }
  }

  #publish(tenant: string): void {
    const { dice } = this.#world
    const ready = this.#processes().filter((process) => process.alive && process.spine.ready())
    if (ready.length === 0) return
    const process = dice.pick(ready)
    const way = dice.weighted({ plain: 5, 'given id': 3, many: 1, transaction: 3 })
    if (way === 'plain') void this.#state(process, this.#intent(tenant))
    else if (way === 'given id') this.#repeat(process, this.#intent(tenant, `id-${dice.between(1, 4)}`))
    else if (way === 'many') void this.#many(process, tenant)
    else void this.#transact(process, tenant)
  }

  #intent(tenant: string, id?: string, group?: string): Intent {
    const { dice, plan } = this.#world
    const fact = `${id === undefined ? '' : `${id}-`}e${++this.#named}`
    return { fact, tenant, key: `key-${dice.between(1, plan.keys)}`, id, group }
  }

  // Twice at once, or again later: one event all the same.
  #repeat(process: SimulatedProcess, intent: Intent): void {
    const { dice, clock } = this.#world
    void this.#state(process, intent)
    if (dice.chance(0.4)) void this.#state(process, intent)
    if (!dice.chance(0.5)) return
    this.busy++
    clock.after(dice.between(1, 600), () => {
      this.busy--
      const ready = this.#processes().filter((each) => each.alive && each.spine.ready())
      if (ready.length > 0) void this.#state(dice.pick(ready), intent)
    })
  }

  async #state(process: SimulatedProcess, intent: Intent, transaction?: object): Promise<boolean> {
    const { trace, ledger, tally } = this.#world
    const calledAt = trace.say(
      process.name,
      `publishes ${intent.fact} for ${intent.tenant}${intent.id === undefined ? '' : ` as ${intent.id}`}`,
    )
    const fact = ledger.fact(intent.fact, intent, calledAt)
    const data = { fact: intent.fact, key: intent.key }
    const options = {
      tenant: intent.tenant,
      ...(intent.id === undefined ? {} : { id: intent.id, time: new Date(0) }),
    }
    // Unknown until it is known: the answer may never come.
    fact.unknown++
    try {
      if (transaction === undefined) await process.spine.publish(placed, data, options)
      else await process.spine.publish(transaction, placed, data, options)
      fact.unknown--
      if (transaction === undefined) this.#acked(process, intent)
      return true
    } catch (error) {
      if ((error as EventspineError).code === 'IDEMPOTENCY_CONFLICT') {
        fact.unknown--
        tally.met('other body under a used id refused')
      }
      trace.say(process.name, `did not publish ${intent.fact}`)
      return false
    }
  }

  #acked(process: SimulatedProcess, intent: Intent): void {
    const { trace, ledger, tally } = this.#world
    const fact = ledger.facts.get(intent.fact)
    if (fact === undefined) return
    const order = trace.say(process.name, `has published ${intent.fact}`)
    if (fact.acked > 0) tally.met('repeated publish recognised')
    fact.acked++
    fact.ackedAt ??= order
  }

  async #many(process: SimulatedProcess, tenant: string): Promise<void> {
    const { trace, ledger, dice } = this.#world
    const group = `group ${this.#named}`
    const intents = Array.from({ length: dice.between(2, 4) }, () => this.#intent(tenant, undefined, group))
    const calledAt = trace.say(
      process.name,
      `publishes ${intents.map(({ fact }) => fact).join(' ')} together`,
    )
    const facts = intents.map((intent) => ledger.fact(intent.fact, intent, calledAt))
    for (const fact of facts) fact.unknown++
    try {
      await process.spine.publishMany(
        intents.map(({ fact, key }) => ({ event: placed, data: { fact, key }, options: { tenant } })),
      )
      for (const fact of facts) fact.unknown--
      for (const intent of intents) this.#acked(process, intent)
    } catch {
      trace.say(process.name, `did not publish ${group}`)
    }
  }

  /** A transaction of the publisher's own: what is published in it is there if and only if it commits. */
  async #transact(process: SimulatedProcess, tenant: string): Promise<void> {
    const { world, number } = { world: this.#world, number: ++this.#named }
    const { dice, tables, clock } = world
    const transaction = tables.begin()
    process.opened(transaction)
    const group = `transaction ${number}`
    const holdMs = dice.chance(0.3) ? dice.between(300, 1_500) : dice.between(0, 50)
    const fate = dice.chance(0.25) ? 'rollback' : 'commit'
    const intents = Array.from({ length: dice.between(1, 3) }, () =>
      this.#intent(tenant, dice.chance(0.3) ? `id-${dice.between(1, 4)}` : undefined, group),
    )
    this.busy++
    clock.after(holdMs, () => {
      this.busy--
      this.#end(process, transaction, fate === 'commit' && published === intents.length, number, intents)
    })
    let published = 0
    for (const intent of intents) {
      if (await this.#state(process, intent, transaction)) published++
      else return
    }
  }

  #end(
    process: SimulatedProcess,
    transaction: ReturnType<World['tables']['begin']>,
    commit: boolean,
    number: number,
    intents: readonly Intent[],
  ): void {
    const { tally, trace } = this.#world
    process.closed(transaction)
    if (!transaction.open) return
    if (!commit) {
      transaction.rollback()
      tally.met('transaction rolled back')
      trace.say(process.name, `rolls transaction ${number} back`)
      return
    }
    transaction.commit()
    if (number < this.#committedLast) tally.met('transaction committed out of order')
    this.#committedLast = Math.max(this.#committedLast, number)
    trace.say(process.name, `commits transaction ${number}`)
    for (const intent of intents) this.#acked(process, intent)
  }
}
