// Strikes by a seeded plan: which worker, in which way, after how long; and beside that the database. Each strike waits
// a while for the moment that it is meant for, and notes whether it met it: one that hits nobody proves nothing.
import { setTimeout as delay } from 'node:timers/promises'
import { Dice } from '../simulate/dice.js'
import { shortLeases } from './app.js'
import type { Crew, Member } from './crew.js'
import type { OwnServer } from './engine.js'
import type { Link } from './link.js'
import type { RecoveryWatch } from './recovery.js'
import type { EffectSink } from './sink.js'
import {
  first,
  kindWeights,
  metBy,
  moments,
  noStrikes,
  type Planned,
  type StrikeKind,
  type StrikeLimits,
  whenMsMax,
  whenWeights,
} from './strikes.js'

export interface Struck {
  readonly crew: Crew
  /** From the workers to the database, by their place. */
  readonly links: readonly Link[]
  readonly server: OwnServer
  readonly sink: EffectSink
  readonly watch: RecoveryWatch
}

const pauseMs = { min: 50, max: 500 }
const postgresPauseMs = { min: 1_500, max: 3_500 }
/** Strikes on workers while the database is not there: some start, none works. */
const whileDown = 0.1
/** Strikes on workers that may have nothing to deliver yet. */
const whileIdle = 0.1
/** A worker that is away comes back when others took over from it, or after this time: less than what the server leaves
 *  an idle transaction. */
const awayMsMax = 9_500
const lookEveryMs = 20

interface Target {
  readonly member: Member
  readonly link: Link
}

export class Killer {
  readonly #system: Struck
  readonly #limits: StrikeLimits
  readonly #workers: Dice
  readonly #postgres: Dice
  readonly #first = [...first]
  #away: Promise<void> | undefined
  /** Nobody goes away any more before the database was struck: that would cut off what comes late. */
  #postgresNext = false
  #over = false
  readonly strikes = noStrikes()

  constructor(system: Struck, seed: number, limits: StrikeLimits) {
    this.#system = system
    this.#limits = limits
    // Two streams: how long the database takes to come back does not shift what the workers meet.
    this.#workers = new Dice(seed)
    this.#postgres = new Dice(seed + 1)
  }

  /** Resolves when the time is over, or all kills are done; whoever was stopped goes on by then. */
  async run(): Promise<void> {
    const timer = setTimeout(() => this.stop(), this.#limits.secondsMax * 1_000)
    await Promise.all([this.#strikeWorkers(), this.#strikePostgres()])
    clearTimeout(timer)
    await this.#away
  }

  stop(): void {
    this.#over = true
  }

  async #strikeWorkers(): Promise<void> {
    const { kill } = this.strikes
    while (!this.#over && kill.struck < this.#limits.workerKillsMax) {
      await delay(this.#workers.between(pauseMs.min, pauseMs.max))
      const planned = this.#plan()
      const [chosen, passes] = [this.#workers.random.next(), this.#workers.chance(0.5)]
      if (!this.#workers.chance(whileDown)) await this.#whileDown()
      const target = await this.#target(chosen, this.#workers.chance(whileIdle) ? undefined : planned.when)
      if (target === undefined) return
      if (planned.kind === 'kill') await this.#kill(target, planned, passes)
      else if (planned.kind === 'term') await this.#term(target, planned)
      else await this.#takeAway(target, planned)
    }
  }

  #plan(): Planned {
    const kind = this.#workers.weighted(kindWeights)
    const when = this.#workers.weighted(whenWeights[kind] as Record<Planned['when'], number>)
    if (this.#away === undefined && !this.#postgresNext) return this.#first.shift() ?? { kind, when }
    return kind === 'term' ? { kind, when } : { kind: 'kill', when: kind === 'kill' ? when : 'handler' }
  }

  async #whileDown(): Promise<void> {
    while (this.#system.watch.away && !this.#over) await delay(lookEveryMs)
  }

  /** A worker that can meet the moment; any, where none is named. */
  async #target(chosen: number, when: Planned['when'] | undefined): Promise<Target | undefined> {
    const { crew, links, watch } = this.#system
    while (!this.#over) {
      const places = crew.members.flatMap(({ ready, struck, program }, place) =>
        ready && !struck && (when === undefined || watch.holds(program.pid, metBy[when])) ? [place] : [],
      )
      const place = places[Math.floor(chosen * places.length)]
      if (place !== undefined) return { member: crew.members[place] as Member, link: links[place] as Link }
      await delay(lookEveryMs / 4)
    }
    return undefined
  }

  /** Does `strike` when the moment has come, or when it was waited for long enough. False when it was not done. */
  async #at({ member, link }: Target, planned: Planned, strike: () => 'hold' | 'pass') {
    const { sink } = this.#system
    const { kind, when } = planned
    const { pid } = member.program
    let met = false
    const struck = () => {
      met = true
      return strike()
    }
    if (when !== 'handler') link.expect(moments[when], struck)
    const end = performance.now() + whenMsMax[kind]
    while (!met && !this.#over && !member.program.ended && performance.now() < end) {
      if (when === 'handler' && sink.runs(pid)) struck()
      else await delay(lookEveryMs / 4)
    }
    link.expectNothing()
    if (!met && (this.#over || member.program.ended)) return false
    if (!met && strike() === 'hold') link.hold()
    this.#count(kind, met)
    // What a run begins with is there to be met: it is tried again.
    if (!met && first.includes(planned)) this.#first.unshift(planned)
    return true
  }

  /** `passes`: what is being sent arrives, and the answer is lost; otherwise it is lost itself. */
  async #kill(target: Target, planned: Planned, passes: boolean): Promise<void> {
    const { member, link } = target
    const { pid } = member.program
    const struck = await this.#at(target, planned, () => {
      member.struck = true
      this.#system.watch.workerStruck(pid, 'killed')
      member.program.signal('SIGKILL')
      return passes ? 'pass' : 'hold'
    })
    if (!struck) return
    await member.program.end()
    link.cut()
  }

  async #term(target: Target, planned: Planned): Promise<void> {
    await this.#at(target, planned, () => {
      target.member.struck = true
      target.member.program.signal('SIGTERM')
      return 'pass'
    })
  }

  async #takeAway(target: Target, planned: Planned): Promise<void> {
    const { member, link } = target
    const { pid } = member.program
    const struck = await this.#at(target, planned, () => {
      member.struck = true
      this.#system.watch.workerStruck(pid, 'away')
      if (planned.kind === 'stop') member.program.signal('SIGSTOP')
      return 'hold'
    })
    if (!struck) return
    this.#away = this.#whileAway(pid).then(() => {
      this.#away = undefined
      member.program.signal('SIGCONT')
      link.heal()
      member.struck = false
    })
  }

  async #whileAway(pid: number): Promise<void> {
    const end = performance.now() + awayMsMax
    while (this.#system.watch.isMissed(pid, shortLeases, 'ordered') && performance.now() < end)
      await delay(lookEveryMs)
  }

  async #strikePostgres(): Promise<void> {
    const { server, sink, watch } = this.#system
    const { postgres } = this.strikes
    while (!this.#over && postgres.struck < this.#limits.postgresKillsMax) {
      await this.#pause(this.#postgres.between(postgresPauseMs.min, postgresPauseMs.max))
      this.#postgresNext = true
      await this.#away
      const end = performance.now() + whenMsMax.postgres
      while (!sink.runs() && performance.now() < end) await delay(lookEveryMs / 4)
      const met = sink.runs()
      if (!this.#over && (await server.kill())) {
        this.#count('postgres', met)
        watch.postgresStruck()
        // A server that is killed before anything came of its last start would only be seen starting.
        await this.#whileDown()
      }
      this.#postgresNext = false
    }
  }

  async #pause(ms: number): Promise<void> {
    for (let left = ms; left > 0 && !this.#over; left -= lookEveryMs) await delay(lookEveryMs)
  }

  #count(kind: StrikeKind, met: boolean): void {
    const count = this.strikes[kind]
    count.struck++
    if (met) count.met++
  }
}
