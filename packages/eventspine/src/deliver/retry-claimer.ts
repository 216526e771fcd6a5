// Fetches rows that are due, for all consumers of a process in one statement, when something may be due.
import { type Clock, Wake } from '../kernel/index.js'
import type { Consumer } from './consumer.js'
import { type Claimant, consumerId, type RetryPort } from './port.js'

export interface ClaimerServices {
  readonly port: RetryPort
  readonly clock: Clock
  consumers(): readonly Consumer[]
  failed(error: unknown): void
}

/** Rows of one consumer that one claim takes. */
const claimRowsMax = 50
/** How often rows are looked for that this process does not know of: redrives, rows of earlier holders. */
const pollMs = 500
/** The same where none was found for a while. */
const pollMsMax = 1_000

/** So long every lease of the process is held before a suspect of killing it is claimed. */
const suspectAfterMs = 2_000
/** Or the oldest of them. */
const suspectAfterMsMax = 15_000

/** A claim whose answer did not come may be carried out so much later. */
const doubtMs = 10_000

export class RetryClaimer {
  readonly #services: ClaimerServices
  readonly #wake: Wake
  /** Consumers that a claim without an answer was for, and until when it may still be carried out. */
  readonly #doubted = new Map<Consumer, number>()
  /** Had no place when rows were looked for. */
  readonly #busy = new Set<Consumer>()
  /** Of them, those that have one again. */
  readonly #missed = new Set<Consumer>()
  #dueAt = 0
  /** Something may be due that this process was told of. */
  #told = false
  /** At the last look there was none that will be due. */
  #none = false
  #pollMs = pollMs
  #stopped = false
  #running: Promise<void> | undefined

  constructor(services: ClaimerServices) {
    this.#services = services
    this.#wake = new Wake(services.clock)
  }

  start(): void {
    this.#running ??= this.#loop()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake.ring()
    await this.#running
  }

  /** A row may be due in so many milliseconds. */
  dueIn(ms: number): void {
    const at = this.#services.clock.monotonic() + ms
    this.#told ||= at < Number.POSITIVE_INFINITY
    if (at >= this.#dueAt) return
    this.#dueAt = at
    this.#wake.ring()
  }

  /** It has a place again: where it had none at the last look, one is made for it alone. Were that for all, whoever has no place then
   *  would have the next made for all: busy workers looked without a pause, 70 times a second where there was not one row. */
  freed(consumer: Consumer): void {
    if (!this.#busy.delete(consumer)) return
    this.#missed.add(consumer)
    this.#wake.ring()
  }

  async #loop(): Promise<void> {
    const { clock, failed } = this.#services
    while (!this.#stopped) {
      const waitMs = this.#missed.size > 0 ? 0 : Math.max(0, this.#dueAt - clock.monotonic())
      if (waitMs > 0) await this.#wake.wait(waitMs)
      const isDue = this.#dueAt <= clock.monotonic()
      if (this.#stopped || (!isDue && this.#missed.size === 0)) continue
      if (isDue) {
        this.#pollMs = Math.min(pollMsMax, this.#pollMs * 1.1)
        this.#dueAt = clock.monotonic() + this.#pollMs
      }
      await this.#claim(isDue).catch(async (error) => {
        failed(error)
        await clock.sleep(pollMs)
      })
    }
  }

  async #claimed(wanting: readonly Consumer[], leases: readonly Claimant[]) {
    try {
      return await this.#services.port.claimDue(leases, claimRowsMax, this.#suspectsMax())
    } catch (error) {
      this.#told = true
      const until = this.#services.clock.monotonic() + doubtMs
      for (const consumer of wanting) this.#doubted.set(consumer, until)
      throw error
    }
  }

  // An answer that got lost leaves rows running that nobody runs, for as long as the lease is kept.
  async #unclaim(): Promise<void> {
    if (this.#doubted.size === 0) return
    const { clock, port } = this.#services
    const held = new Set(this.#services.consumers())
    for (const consumer of this.#doubted.keys()) if (!held.has(consumer)) this.#doubted.delete(consumer)
    const holdings = [...this.#doubted.keys()].flatMap((consumer) => consumer.holding ?? [])
    const looked = holdings.length === 0 ? new Set() : await port.unclaim(holdings)
    for (const [consumer, until] of this.#doubted)
      if (looked.has(consumerId(consumer.lease)) && clock.monotonic() >= until) this.#doubted.delete(consumer)
  }

  // A claim is what a death is judged by: a suspect of killing its process is claimed only when it starts at once, alone
  // among suspects, in a process that has lived without it: whatever else may kill it had its turn before. Where leases
  // come and go all the time that would be never, so the oldest one's age is enough in the end.
  #suspectsMax(): number {
    const consumers = this.#services.consumers()
    if (consumers.some(({ suspects }) => suspects)) return 0
    const ages = consumers.map(({ gate }) => gate.ageMs)
    return Math.min(...ages) >= suspectAfterMs || Math.max(...ages) >= suspectAfterMsMax ? 1 : 0
  }

  /** For all, or for those that were busy the last time. */
  async #claim(forAll: boolean): Promise<void> {
    await this.#unclaim()
    const consumers = this.#services.consumers()
    const asked = forAll ? consumers : consumers.filter((consumer) => this.#missed.has(consumer))
    this.#missed.clear()
    if (forAll) this.#busy.clear()
    for (const consumer of asked) if (consumer.roomForRows <= 0) this.#busy.add(consumer)
    const wanting = asked.filter((consumer) => !this.#busy.has(consumer))
    if (wanting.length === 0) return
    const leases = wanting.map(({ lease, roomForRows, gate }) => ({
      subscription: lease.subscription,
      replay: lease.replay,
      shard: lease.shard,
      token: lease.token,
      rowsMax: Math.min(claimRowsMax, roomForRows),
      retriesMax: gate.retriesMax,
    }))
    const told = this.#told || !forAll
    if (forAll) this.#told = false
    const rows = await this.#claimed(wanting, leases)
    if (rows.length > 0) this.#pollMs = pollMs
    wanting.forEach((consumer, index) => {
      const id = consumerId(consumer.lease)
      const mine = rows.filter((row) => consumerId(row) === id)
      if (mine.length > 0) consumer.accept(mine)
      // As many as asked for: there may be more.
      if (mine.length >= (leases[index]?.rowsMax ?? claimRowsMax)) this.dueIn(0)
    })
    // A look that finds nothing where there was nothing before: an idle worker's, once a second.
    if (this.#none && !told && rows.length === 0) return
    const nextMs = await this.#services.port.nextDueMs(leases)
    this.#none = nextMs === null && (forAll || this.#none)
    if (nextMs !== null && nextMs > 0) this.dueIn(nextMs)
    // Due and not taken: it waits for a place, a token or its turn as a suspect.
    else if (nextMs !== null) this.#pollMs = pollMs
  }
}
