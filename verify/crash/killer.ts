// Strikes by a seeded plan: which worker, in which way, after how long; and beside that the database. Each strike
// notes whether handlers ran: one that hits nobody proves nothing.
import { setTimeout as delay } from 'node:timers/promises'
import type { LinkProxy } from '../faults/proxy.js'
import { Dice } from '../simulate/dice.js'
import { shortLeases } from './app.js'
import type { Crew, Member } from './crew.js'
import type { OwnServer } from './engine.js'
import type { RecoveryWatch } from './recovery.js'
import type { EffectSink } from './sink.js'

/** `kill`: kill -9. `stop`: SIGSTOP until others took over, then SIGCONT. `mute`: its link to the database holds all
 *  back for as long, then it arrives: what was on its way to be recorded comes late. `term`: SIGTERM. */
export type StrikeKind = WorkerStrike | 'postgres'
type WorkerStrike = 'kill' | 'stop' | 'mute' | 'term'
export const strikeKinds: readonly StrikeKind[] = ['kill', 'stop', 'mute', 'term', 'postgres']

export interface StrikeLimits {
  readonly secondsMax: number
  /** Kills after which no worker is struck any more. */
  readonly workerKillsMax: number
  readonly postgresKillsMax: number
}

export type Strikes = Readonly<Record<StrikeKind, { struck: number; duringHandlers: number }>>

export interface Struck {
  readonly crew: Crew
  /** From the workers to the database, by their place. */
  readonly links: readonly LinkProxy[]
  readonly server: OwnServer
  readonly sink: EffectSink
  readonly watch: RecoveryWatch
}

const pauseMs = { min: 50, max: 500 }
const postgresPauseMs = { min: 2_000, max: 4_000 }
const weights = { kill: 16, stop: 1, mute: 1, term: 2 } as const
/** However short a run is, it begins with these: they take the longest to tell. */
const first: readonly WorkerStrike[] = ['mute', 'stop']
/** A worker that is away comes back when others have recorded something in its place, or after this time: less than
 *  what the server leaves an idle transaction. */
const awayMsMax = 9_500
/** Away at a time: somebody has to take over. */
const awayMax = 1
/** How long a strike waits for its target to be inside a handler: the rare ones longer. */
const handlerWaitMsMax = { kill: 500, term: 500, stop: 5_000, mute: 5_000, postgres: 1_000 } as const
const signals = { kill: 'SIGKILL', stop: 'SIGSTOP', term: 'SIGTERM' } as const
const lookEveryMs = 20

export class Killer {
  readonly #system: Struck
  readonly #limits: StrikeLimits
  readonly #workers: Dice
  readonly #postgres: Dice
  readonly #resuming = new Set<Promise<void>>()
  readonly #queue = [...first]
  #away = 0
  #over = false
  readonly strikes: Strikes = {
    kill: { struck: 0, duringHandlers: 0 },
    stop: { struck: 0, duringHandlers: 0 },
    mute: { struck: 0, duringHandlers: 0 },
    term: { struck: 0, duringHandlers: 0 },
    postgres: { struck: 0, duringHandlers: 0 },
  }

  constructor(system: Struck, seed: number, limits: StrikeLimits) {
    this.#system = system
    this.#limits = limits
    // Two streams: how long the database takes to come back does not shift what the workers meet.
    this.#workers = new Dice(seed)
    this.#postgres = new Dice(seed + 1)
  }

  /** Resolves when the time is over, or all kills are done; whoever was stopped goes on by then. */
  async run(): Promise<void> {
    const end = performance.now() + this.#limits.secondsMax * 1_000
    const timer = setTimeout(() => this.stop(), end - performance.now())
    await Promise.all([this.#strikeWorkers(), this.#strikePostgres()])
    clearTimeout(timer)
    await Promise.all(this.#resuming)
  }

  stop(): void {
    this.#over = true
  }

  async #strikeWorkers(): Promise<void> {
    const { kill } = this.strikes
    while (!this.#over && kill.struck < this.#limits.workerKillsMax) {
      const drawn = this.#workers.weighted(weights)
      const chosen = this.#workers.random.next()
      await delay(this.#workers.between(pauseMs.min, pauseMs.max))
      const kind = this.#kind(drawn)
      const place = await this.#target(chosen, kind)
      if (place === undefined) return
      this.#strike(place, kind)
    }
  }

  #kind(drawn: WorkerStrike): WorkerStrike {
    if (this.#away < awayMax) return this.#queue.shift() ?? drawn
    return drawn === 'term' ? 'term' : 'kill'
  }

  /** The place of a worker that delivers, in a handler if that can be had soon. */
  async #target(chosen: number, kind: WorkerStrike): Promise<number | undefined> {
    const { crew, sink } = this.#system
    const beganAt = performance.now()
    const among = kind === 'stop' || kind === 'mute' ? shortLeases : undefined
    while (!this.#over) {
      const ready = crew.members.flatMap((each, place) => (each.ready && !each.struck ? [place] : []))
      const inside = ready.filter((place) => sink.runs(crew.members[place]?.program.pid, among))
      const waited = performance.now() - beganAt > handlerWaitMsMax[kind]
      const places = inside.length > 0 || !waited ? inside : ready
      const place = places[Math.floor(chosen * places.length)]
      if (place !== undefined) return place
      await delay(lookEveryMs / 4)
    }
    return undefined
  }

  #strike(place: number, kind: WorkerStrike): void {
    const { crew, links, sink, watch } = this.#system
    const [member, link] = [crew.members[place] as Member, links[place] as LinkProxy]
    const { pid } = member.program
    member.struck = true
    this.#count(kind, sink.runs(pid))
    watch.workerStruck(pid)
    if (kind === 'mute') link.state = { kind: 'mute' }
    else member.program.signal(signals[kind])
    if (kind === 'kill' || kind === 'term') return
    this.#away++
    const resuming = this.#whileAway(pid).then(() => {
      this.#away--
      if (kind === 'mute') link.heal()
      else member.program.signal('SIGCONT')
      member.struck = false
      this.#resuming.delete(resuming)
    })
    this.#resuming.add(resuming)
  }

  async #whileAway(pid: number): Promise<void> {
    const end = performance.now() + awayMsMax
    while (this.#system.watch.waitsFor(pid, shortLeases) && performance.now() < end) await delay(lookEveryMs)
  }

  async #strikePostgres(): Promise<void> {
    const { server, sink, watch } = this.#system
    const { postgres } = this.strikes
    while (!this.#over && postgres.struck < this.#limits.postgresKillsMax) {
      // A server that is killed before anything came of its last start would only be seen starting. And one that is
      // killed while a worker is away cuts off what that worker would have brought too late.
      while ((watch.away || this.#away > 0) && !this.#over) await delay(lookEveryMs)
      const { min, max } = postgresPauseMs
      for (let left = this.#postgres.between(min, max); left > 0 && !this.#over; left -= lookEveryMs)
        await delay(lookEveryMs)
      const waitsUntil = performance.now() + handlerWaitMsMax.postgres
      while (!sink.runs() && performance.now() < waitsUntil) await delay(lookEveryMs / 4)
      if (this.#over) return
      if (this.#away > 0) continue
      const running = sink.runs()
      if (!(await server.kill())) continue
      this.#count('postgres', running)
      watch.postgresStruck()
    }
  }

  #count(kind: StrikeKind, duringHandlers: boolean): void {
    const count = this.strikes[kind]
    count.struck++
    if (duringHandlers) count.duringHandlers++
  }
}
