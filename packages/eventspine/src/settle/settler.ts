// Group commit: whatever the consumers of a process have to record travels in one statement, and what comes up
// meanwhile in the next.
import { type ConsumerName, consumerId } from '../deliver/port.js'
import { type Clock, Wake } from '../kernel/index.js'
import type { Settlement, SettlePort } from './port.js'

/** The part of a consumer that settling knows. */
export interface Settling {
  readonly lease: ConsumerName
  collect(): Settlement | undefined
  settled(): Promise<void>
  refused(ids: readonly string[]): Settlement | undefined
}

export interface SettlerServices<Member extends Settling> {
  readonly port: Pick<SettlePort, 'settle'>
  readonly worker: string
  readonly priority: 'alarm' | 'normal'
  readonly clock: Clock
  /** The consumer's lease is gone. */
  lost(consumer: Member): void
  /** Measured: one statement. */
  flushed(settlements: number, ms: number): void
  failed(error: unknown): void
}

/** Between two flushes that hold only what may wait. Each takes a write to the disk, which appends wait for as well: at
 *  1,000 events/s 105 a second, without this 450. */
const pauseMs = { alarm: 0, normal: 10 } as const
const retryMsMax = 5_000
const attemptsMax = 1_000

export class Settler<Member extends Settling> {
  readonly #services: SettlerServices<Member>
  #waiting = new Set<Member>()
  #flushing: Promise<void> | undefined
  #flushedAt = Number.NEGATIVE_INFINITY
  readonly #soon: Wake
  #stopped = false

  constructor(services: SettlerServices<Member>) {
    this.#services = services
    this.#soon = new Wake(services.clock)
  }

  /** Asks for a flush that includes this consumer: `soon`, or within a few milliseconds. */
  flush(consumer: Member, soon: boolean): void {
    this.#waiting.add(consumer)
    if (soon) this.#soon.ring()
    this.#flushing ??= this.#run()
  }

  async #run(): Promise<void> {
    await undefined
    while (this.#waiting.size > 0) {
      await this.#pause()
      const members = this.#waiting
      this.#waiting = new Set()
      const offered = [...members].flatMap((member) => {
        const settlement = this.#collected(member)
        return settlement === undefined ? [] : [{ member, settlement }]
      })
      if (offered.length > 0) await this.#settle(offered)
    }
    this.#flushing = undefined
  }

  async #pause(): Promise<void> {
    const { clock, priority } = this.#services
    const restMs = this.#flushedAt + pauseMs[priority] - clock.monotonic()
    if (restMs > 0) await this.#soon.wait(restMs)
    this.#flushedAt = clock.monotonic()
  }

  // A fault of the engine's own in one consumer must not end settling for all.
  #collected(member: Member): Settlement | undefined {
    try {
      return member.collect()
    } catch (error) {
      this.#services.failed(error)
      this.#services.lost(member)
      return undefined
    }
  }

  async #settle(
    offered: readonly { readonly member: Member; readonly settlement: Settlement }[],
  ): Promise<void> {
    const answer = await this.#send(offered.map((each) => each.settlement))
    if (answer === undefined) return offered.forEach(({ member }) => this.#services.lost(member))
    const again: { readonly member: Member; readonly settlement: Settlement }[] = []
    for (const { member } of offered) {
      const id = consumerId(member.lease)
      const conflict = answer.conflicts.get(id)
      const repaired = conflict === undefined ? undefined : member.refused(conflict)
      if (repaired !== undefined) again.push({ member, settlement: repaired })
      else if (answer.settled.has(id)) void member.settled().catch((error) => this.#services.failed(error))
      else this.#services.lost(member)
    }
    if (again.length > 0) await this.#settle(again)
  }

  // An answer that got lost leaves the outcome unknown: sending the same again is safe, since a settlement names the
  // revision that it follows.
  async #send(settlements: readonly Settlement[]) {
    const { clock, port, worker, priority } = this.#services
    for (let attempt = 0; attempt < attemptsMax && !this.#stopped; attempt++) {
      const began = clock.monotonic()
      try {
        const answer = await port.settle(worker, settlements, priority)
        this.#services.flushed(settlements.length, clock.monotonic() - began)
        return answer
      } catch (error) {
        this.#services.failed(error)
        await clock.sleep(Math.min(retryMsMax, 20 * 2 ** Math.min(attempt, 8)))
      }
    }
    return undefined
  }

  /** Gives up what could not be recorded: the leases run out and the work is done again elsewhere. */
  stop(): void {
    this.#stopped = true
  }
}
