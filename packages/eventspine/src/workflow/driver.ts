// Moves one instance on: goes through its history, then makes the attempts, sets the timers and records what comes of
// them, until it has to wait or has ended. Nothing is tried before everything that led to it is recorded, or in the log.
import type { NewEvent } from '../event/stored.js'
import { judge, TransientError } from '../handle/index.js'
import { microtasksThrough, Wake } from '../kernel/index.js'
import { type Arrival, type AttemptServices, Attempts } from './attempts.js'
import type { Call } from './call.js'
import { MisuseError, notAwaited, pastPivot, stillHalted, stranded } from './errors.js'
import { completedOf, dataOf, type History, judgedDecision, type Said } from './history.js'
import type { InstanceName, Recording } from './port.js'
import { Program } from './program.js'

export interface DriverServices extends AttemptServices {
  readonly name: InstanceName
  readonly history: History
  /** When what caused this drive was accepted, by the database's clock: all that was accepted before it is in the
   *  history. */
  readonly stimulatedAtMs: number
  /** A person sent again what drives it. */
  readonly redriven: boolean
  /** A process died over it: what it may die of again is not to leave an instance that nobody knows of. */
  readonly isSuspect: boolean
  /** A wish to end waits for this drive. */
  mustEnd(): boolean
  /** A wish to end is in the log, and was not heard. */
  wished(): Promise<boolean>
  /** False when somebody else has written, or the lease is gone. */
  record(
    part: Pick<Recording, 'from' | 'entries' | 'state' | 'wakeAtMs' | 'published' | 'awaited'>,
  ): Promise<boolean>
}

const nothing = '[]'
const holdMsMax = 1_000 // Waits so short are sat out, instead of being given back and taken up again.
/** What code between two calls may await that is not of its context, before the instance is given up. */
const foreignMsMax = 5_000
const waitMsMax = 3_600_000

export class Driver {
  readonly #services: DriverServices
  readonly #program: Program
  readonly #history: History
  readonly #wake: Wake
  readonly #attempts: Attempts
  readonly #arrivals: Arrival[] = []
  readonly #launching: Call[] = []
  #published: NewEvent[] = []
  #recording: Promise<void> | undefined
  /** What it waits for from outside, as the store has it; undefined while that is not known. */
  #awaited: string | undefined
  /** A wish to be woken that the store does not have. */
  #restless = false
  /** Why it must wait for a person. */
  #stuck: unknown

  constructor(services: DriverServices) {
    const { clock, name, definition, logger, history } = services
    this.#services = services
    this.#history = history
    this.#wake = new Wake(clock)
    this.#awaited = history.mayAwait(definition) ? undefined : nothing
    this.#program = new Program(name, definition, logger, () => this.#wake.ring())
    this.#attempts = new Attempts(services, {
      arrived: (arrival) => {
        this.#arrivals.push(arrival)
        this.#wake.ring()
      },
      idle: () => this.#wake.ring(),
      stuck: (error) => {
        this.#stuck ??= error
      },
      pivoted: () => this.#program.saga.pivoted,
    })
    services.cancellation.listen(() => this.#wake.ring())
  }

  /** Adds what was `said` to it. `woken`: the store has forgotten when it wanted to be. Rejects when it needs a person. */
  async drive(said: readonly Said[], woken: boolean): Promise<void> {
    await this.#replay().catch((error: unknown) => this.#unborn(error))
    this.#program.live = true
    this.#arrivals.push(...said)
    this.#restless = woken
    while (this.#program.state === 'running' || this.#program.state === 'compensating') {
      await microtasksThrough()
      if (!(await this.#step())) break
    }
    // What was accepted is kept, also where it came too late to be asked for.
    for (const arrival of this.#arrivals.splice(0)) if (arrival.kind === 'signal') this.#append(arrival)
    await this.#flush()
    // What stands in the way of a wish to end gives way to it.
    const gives = this.#attention !== undefined && this.#program.mayEnd && (await this.#services.wished())
    if (this.#attention !== undefined && !gives) throw this.#attention
  }

  async #replay(): Promise<void> {
    const [started, ...others] = this.#history.entries
    if (started === undefined) return
    this.#program.apply(started)
    await this.#program.start(dataOf<{ readonly input: unknown }>(started).input)
    for (const entry of others) {
      await microtasksThrough()
      if (entry.place !== '' && !this.#program.calls.has(entry.place)) await this.#foreign()
      this.#program.apply(entry)
    }
  }

  // Also an instance whose code cannot begin is one that people find, and can end.
  async #unborn(error: unknown): Promise<never> {
    if (this.#history.recorded === 0) await this.#flush()
    throw error
  }

  /** One thing that can be done now; false when there is nothing left but to wait for somebody else. */
  async #step(): Promise<boolean> {
    const { cancellation } = this.#services
    if (cancellation.cancelled) throw cancellation.reason
    if (this.#failure !== undefined) throw this.#failure
    const yields = this.#yields
    if (this.#attention === undefined && (this.#withdraw() || this.#transition() || this.#activate(yields)))
      return true
    const arrival = this.#arrivals.shift()
    if (arrival !== undefined) return this.#isOutdated(arrival) || this.#append(arrival)
    if (this.#attention === undefined && this.#fire()) return true
    if (this.#attention !== undefined) return this.#attempts.running > 0 && (await this.#wait(waitMsMax))
    if (this.#launching.length > 0) return await this.#launchAll()
    if (yields) return this.#attempts.running > 0 && (await this.#wait(waitMsMax))
    const dueInMs = this.#dueAtMs(true) - this.#services.time.earliestMs()
    if (this.#attempts.running > 0 || dueInMs <= holdMsMax)
      return await this.#wait(Math.min(dueInMs, waitMsMax))
    if (!this.#program.awaitsForeign) return false
    if (!(await this.#foreign())) this.#strand()
    return true
  }

  // A wish to end came, or waits behind this very delivery: what has begun comes to its end (a pivot in doubt, too), and
  // nothing else begins before it is heard.
  get #yields(): boolean {
    if (this.#program.state !== 'running' || this.#program.cancelled) return false
    return this.#services.mustEnd() || this.#arrivals.some(({ kind }) => kind === 'cancel-requested')
  }

  // ── what follows from where it stands ──

  #withdraw(): boolean {
    const before = this.#history.length
    for (const call of this.#program.calls.values()) {
      if (!this.#program.withdraws(call)) continue
      if (call.kind === 'child') this.#published.push(this.#services.consequences.childCancelled(call))
      this.#say(call, 'withdrawn')
    }
    return this.#history.length > before
  }

  #transition(): boolean {
    const { outcome, state, undone, forgotten } = this.#program
    if (state === 'compensating')
      return undone && this.#append({ kind: 'ended', data: { state: 'compensated', ...this.#program.why } })
    const busy = this.#attempts.running > 0 || this.#arrivals.length > 0
    if (outcome?.ok === true) {
      if (busy) return false
      if (forgotten === undefined) return this.#append({ kind: 'ended', data: completedOf(outcome.json) })
      this.#stuck = notAwaited(forgotten)
      return true
    }
    if (!this.#program.abandoned) return false
    if (outcome !== undefined && this.#program.parks) {
      if (!busy) this.#stuck = this.#program.saga.pivoted ? pastPivot(outcome.error) : outcome.error
      return !busy
    }
    this.#tellChildren()
    // What has begun comes to its end first: it may have to be undone.
    if (busy || this.#program.children.length > 0) return false
    if (this.#program.saga.anything) return this.#append({ kind: 'compensating', data: this.#program.why })
    const ended = this.#program.cancelled === undefined ? 'failed' : 'cancelled'
    return this.#append({ kind: 'ended', data: { state: ended, ...this.#program.why } })
  }

  // What the context was misused for is no reason to stand still for code that is not followed any further.
  get #attention(): unknown {
    return this.#stuck ?? (this.#program.abandoned ? undefined : this.#program.misused)
  }

  #told = false
  #tellChildren(): void {
    if (this.#told) return
    this.#told = true
    const { consequences } = this.#services
    for (const call of this.#program.children) this.#published.push(consequences.childCancelled(call))
  }

  // ── calls that nobody has looked at yet ──

  #activate(onlyBegun: boolean): boolean {
    const before = this.#history.length
    let some = false
    for (const call of [...this.#program.calls.values()]) {
      if (call.active || !this.#program.wants(call) || (onlyBegun && !call.comesToItsEnd)) continue
      call.active = some = true
      this.#begin(call)
    }
    return some || this.#history.length > before
  }

  #begin(call: Call): void {
    const { kind, asked, begun } = call
    if (kind === 'step' || kind === 'undo') return this.#prepareAttempt(call)
    if (kind === 'child') return begun ? this.#awaitChild(call) : this.#startChild(call)
    if (kind === 'publish') return this.#attempts.publish(call)
    if (!begun && call.opening !== undefined) this.#say(call, ...call.opening)
    // Looked for once the store knows that it waits: what comes from then on is told.
    if (kind === 'event') this.#launching.push(call)
    if (call.dueAtMs !== undefined) return
    const dueAtMs =
      asked.dueAtMs ??
      (asked.timeoutMs === undefined ? undefined : this.#services.time.latestMs() + asked.timeoutMs)
    if (dueAtMs !== undefined) this.#say(call, 'timer-set', { dueAtMs })
  }

  #prepareAttempt(call: Call): void {
    const { options } = call.asked
    if (!call.begun) {
      if (call.kind === 'undo') this.#say(call, 'undo-begun')
      else if (options?.pivot === true)
        this.#say(call, 'step-begun', { pivot: true, ...(options.undo !== undefined && { undo: true }) })
      else if (options?.undo !== undefined) this.#say(call, 'step-begun')
    }
    // What waits for a person is tried again when a person sends it again, and not because something else came.
    if (call.halted && !this.#services.redriven) this.#stuck ??= this.#yields ? undefined : stillHalted(call)
    else if (call.dueAtMs === undefined) this.#launching.push(call)
  }

  // One that failed behind the point of no return: its copy may have come to another end since.
  #awaitChild(call: Call): void {
    const answered = this.#arrivals.some(({ kind, place }) => kind === 'child-ended' && place === call.place)
    if (call.halted && !answered && !this.#services.redriven)
      this.#stuck ??= this.#program.childHalted(call.place)
  }

  #startChild(call: Call): void {
    try {
      const { event, id } = this.#services.consequences.childStarted(call)
      this.#published.push(event)
      this.#say(call, 'child-started', { id })
    } catch (error) {
      if (!(error instanceof MisuseError)) return this.#say(call, 'step-dead', judge(error))
      this.#stuck ??= error
    }
  }

  async #launchAll(): Promise<true> {
    if (this.#services.isSuspect || !this.#onlyStarted) await this.#flush()
    // The answer may have been so long on its way that another has taken over since.
    const { cancellation } = this.#services
    if (cancellation.cancelled) throw cancellation.reason
    for (const call of this.#launching.splice(0)) {
      if (!this.#program.wants(call) || this.#attention !== undefined) continue
      if (call.kind === 'event') this.#attempts.look(call, this.#program.taken)
      else this.#attempts.try(call)
    }
    return true
  }

  // That it was started is in the log: it may be recorded with the answer of its first step.
  get #onlyStarted(): boolean {
    const isNew = this.#history.recorded === 0 && this.#history.length === 1 && this.#published.length === 0
    return isNew && this.#launching.every(({ kind }) => kind === 'step')
  }

  // What was found while its call came to another end is left for who asks next; what another call has taken meanwhile
  // is looked for again. A child that was answered for, or taken back, ends for nobody.
  #isOutdated({ kind, place = '', json }: Arrival): boolean {
    const call = this.#program.calls.get(place)
    if (kind === 'child-ended') return call === undefined
    if (kind !== 'occurred') return false
    if (call === undefined || !this.#program.wants(call)) return true
    const { id } = JSON.parse(json as string) as { readonly id: string }
    const taken = this.#program.taken.has(id)
    if (taken) this.#launching.push(call)
    return taken
  }

  // ── time ──

  /** Infinity when nothing waits for time. `here`: of what this drive may let happen. */
  #dueAtMs(here = false): number {
    let dueAtMs = Number.POSITIVE_INFINITY
    for (const call of this.#program.calls.values())
      if (
        call.dueAtMs !== undefined &&
        !call.running &&
        this.#program.wants(call) &&
        (!here || this.#isOver(call))
      )
        dueAtMs = Math.min(dueAtMs, call.dueAtMs)
    return dueAtMs
  }

  #isOver(call: Call): boolean {
    return call.ownTime || (call.isOverBy(this.#services.stimulatedAtMs) && !this.#launching.includes(call))
  }

  #fire(): boolean {
    const nowMs = this.#services.time.earliestMs()
    const due = [...this.#program.calls.values()]
      .filter(
        (call) =>
          call.active &&
          !call.running &&
          this.#program.wants(call) &&
          (call.dueAtMs ?? Infinity) <= nowMs &&
          this.#isOver(call),
      )
      .sort((a, b) => (a.dueAtMs as number) - (b.dueAtMs as number))
    const [first] = due
    if (first === undefined) return false
    if (first.kind !== 'step' && first.kind !== 'undo') this.#say(first, 'timer-fired')
    else this.#launching.push(Object.assign(first, { dueAtMs: undefined }))
    return true
  }

  async #wait(ms: number): Promise<true> {
    void this.#flush().catch((error: unknown) => this.#failed(error))
    await this.#wake.wait(Math.max(0, ms))
    return true
  }

  // Something that is not of its context is awaited: mostly quick, and never seen to end by us.
  async #foreign(): Promise<boolean> {
    const { clock } = this.#services
    const endsAt = clock.monotonic() + foreignMsMax
    while (this.#program.awaitsForeign && clock.monotonic() < endsAt) {
      await this.#wake.wait(endsAt - clock.monotonic())
      await microtasksThrough()
    }
    return !this.#program.awaitsForeign
  }

  #strand(): void {
    this.#stuck = stranded(this.#services.name.workflow, foreignMsMax)
  }

  // ── recording ──

  #say(call: Call, kind: Said['kind'], data?: unknown): void {
    this.#append({ kind, place: call.place, name: call.name, data })
  }

  #append({ published, ...given }: Arrival): true {
    const judged = judgedDecision(given, (approval, place) => this.#program.asks(approval, place))
    const said = this.#program.judgedChild(judged)
    const entry = this.#history.append(said, this.#services.time.latestMs())
    this.#program.apply(entry)
    if (entry.kind === 'child-failed') this.#stuck ??= this.#program.childHalted(entry.place)
    if (published !== undefined) this.#published.push(...published)
    if (entry.kind === 'ended') this.#published.push(...this.#services.consequences.ended(entry))
    return true
  }

  #failure: unknown
  #failed(error: unknown): void {
    this.#failure ??= error
    this.#wake.ring()
  }

  /** Resolves when the store has everything up to now. */
  async #flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    while (this.#recording !== undefined) await this.#recording
    const awaits = JSON.stringify(this.#program.awaits)
    const isRecorded = this.#history.recorded === this.#history.length && awaits === this.#awaited
    if (isRecorded && this.#published.length === 0 && !this.#restless) return
    this.#recording = this.#record().finally(() => (this.#recording = undefined))
    await this.#recording
  }

  async #record(): Promise<void> {
    const from = this.#history.recorded
    const upTo = this.#history.length
    const published = this.#published
    this.#published = []
    this.#restless = false
    const dueAtMs = this.#dueAtMs()
    const { awaits } = this.#program
    const awaited = JSON.stringify(awaits)
    const recorded = await this.#services.record({
      from,
      entries: this.#history.unrecorded(),
      state: this.#program.state,
      wakeAtMs: dueAtMs === Number.POSITIVE_INFINITY ? null : dueAtMs,
      published,
      awaited: awaited === this.#awaited ? null : awaits,
    })
    if (!recorded)
      throw new TransientError(
        'Somebody else has moved this instance on meanwhile; beginning again from its history',
      )
    this.#history.recordedUpTo(upTo)
    this.#awaited = awaited
  }
}
