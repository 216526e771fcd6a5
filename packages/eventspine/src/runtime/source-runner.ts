// Runs one custom source in this process: where its lease lets it, again when it ends, and with room for so many messages.
// What it took is stored before it counts as stopped.
import type { Clock, Random } from '../kernel/index.js'
import { EventspineError } from '../kernel/index.js'
import { boundLogger, type Logger } from '../observe/log.js'
import type { Metrics } from '../observe/metrics.js'
import {
  type CustomSource,
  type Message,
  messageOf,
  type Receipt,
  type ReceivedMessage,
  received,
  refusalOf,
  type SourceLedger,
} from '../source/index.js'
import { type Intake, storableId } from './intake.js'
import { OrderKeys, type Place } from './order-keys.js'
import { Room } from './room.js'
import type { SourceLeaseKeeper, Tenure } from './source-lease-keeper.js'

export interface SourceRunnerServices {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  readonly intake: Intake
  readonly lease: SourceLeaseKeeper
  readonly ledger: SourceLedger
  /** What a run has to end in when it is told to. */
  readonly endMsMax: number
}

const pauseMsMin = 1_000
const pauseMsMax = 15_000
/** One that ran for so long counts as well again. */
const steadyMs = 30_000

/** From a start of `run` to its end. */
interface Turn {
  readonly slot: number
  readonly signal: AbortSignal
  readonly room: Room
  readonly orders: OrderKeys
  /** What ends each of them. */
  readonly pauses: Set<() => void>
  open: boolean
}

export class SourceRunner {
  readonly #source: CustomSource
  readonly #services: SourceRunnerServices
  readonly #logger: Logger
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  /** From the start of `run` to its end. */
  #turning: Promise<unknown> | undefined

  constructor(source: CustomSource, services: SourceRunnerServices) {
    this.#source = source
    this.#services = services
    this.#logger = boundLogger(services.logger, { source: source.name })
  }

  start(): void {
    if (this.#running !== undefined || this.#stop.signal.aborted) return
    this.#services.lease.start()
    this.#running = this.#loop()
  }

  /** Resolves when what it took is stored, or its time to end is over. Safe to call twice, or before start. */
  async stop(): Promise<void> {
    const { lease } = this.#services
    this.#stop.abort()
    // Given back behind the end of its run: else two would run it. Where none runs, nobody is waited for.
    const release = () => lease.stop()
    await (this.#turning === undefined ? release() : this.#turning.then(release))
    await this.#running
  }

  async #loop(): Promise<void> {
    const { clock, lease } = this.#services
    for (let failures = 0; ; ) {
      const held = await lease.held()
      if (held === undefined || this.#stop.signal.aborted) return
      const began = clock.monotonic()
      const turning = this.#turn(held, failures > 0)
      this.#turning = turning
      const error = await turning
      this.#turning = undefined
      if (this.#stop.signal.aborted) return
      // Another process runs it now: no fault of its own.
      if (held.signal.aborted) continue
      failures = clock.monotonic() - began < steadyMs ? failures + 1 : 1
      await this.#pause(failures, error)
    }
  }

  async #pause(failures: number, error: unknown): Promise<void> {
    const { clock, random, lease, metrics } = this.#services
    const ms = Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(failures - 1, 10)) * (0.75 + random.next() / 2)
    metrics.sourceEnded(this.#source.name)
    this.#logger.warn('a source ended by itself, and is started again after a pause', {
      ...{ failures, pauseMs: Math.round(ms), error },
    })
    lease.report({ state: 'failing', failures, error: reasonOf(error) })
    await clock.sleep(ms, this.#stop.signal)
  }

  /** Answers why it ended. */
  async #turn({ signal, slot }: Tenure, wasFailing: boolean): Promise<unknown> {
    const { clock, endMsMax, lease, metrics } = this.#services
    const { name, inFlightMax } = this.#source
    const until = AbortSignal.any([signal, this.#stop.signal])
    const over = new AbortController()
    const turn: Turn = {
      slot,
      signal: over.signal,
      room: new Room(inFlightMax),
      orders: new OrderKeys(clock),
      pauses: new Set(),
      open: true,
    }
    const well = () => lease.report({ state: 'running', failures: 0, error: null })
    const unsteady = wasFailing ? clock.after(steadyMs, well) : () => {}
    metrics.sourceRuns(name, 1)
    const running = this.#run(turn)
    await Promise.race([running, aborted(until)])
    unsteady()
    // What a run that ended by itself left behind hears of it, too.
    over.abort()
    for (const end of turn.pauses) end()
    const stored = running.then(async (why) => {
      await turn.room.empty()
      return why
    })
    let enough = () => {}
    const late = new Promise<Error>((resolve) => {
      enough = clock.after(endMsMax, () => resolve(new Error(`it did not end within ${endMsMax / 1_000} s`)))
    })
    const why = await Promise.race([stored, late])
    enough()
    turn.open = false
    turn.room.refuse(closed(name))
    metrics.sourceRuns(name, -1)
    return why
  }

  async #run(turn: Turn): Promise<unknown> {
    try {
      await this.#source.run({
        receive: (message) => this.#receive(turn, message),
        signal: turn.signal,
        slot: turn.slot,
        ledger: this.#services.ledger,
        logger: this.#logger,
        pause: (ms) => this.#pauseIn(turn, ms),
      })
      return new Error('run() returned before its signal was aborted')
    } catch (error) {
      return error
    }
  }

  // Not by a listener of the signal each: with thousands of them, adding one looks at all the others.
  #pauseIn({ pauses, signal }: Turn, ms: number): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        pauses.delete(end)
        resolve()
      }
      const cancel = this.#services.clock.after(ms, end)
      pauses.add(end)
    })
  }

  async #receive(turn: Turn, message: ReceivedMessage): Promise<Receipt> {
    const { clock, metrics } = this.#services
    const { name } = this.#source
    try {
      if (!turn.open) throw closed(name)
      const { headers, body } = received(message)
      const taken = messageOf(storableId(message.id), headers, body, new Date(clock.now()))
      const place = turn.orders.enter(message.orderKey)
      try {
        const receipt = await this.#take(turn, taken, place)
        metrics.received(name, receipt.outcome)
        return receipt
      } catch (error) {
        place?.failed(error)
        throw error
      } finally {
        place?.leave()
      }
    } catch (error) {
      metrics.received(name, refusalOf(error))
      // Who receives many at once is to know which of them will never be taken.
      if (isRefusal(error) && message.id !== undefined)
        throw new EventspineError(
          error.code,
          `Message "${String(message.id).slice(0, 200)}": ${error.message}`,
          {
            cause: error,
          },
        )
      throw error
    }
  }

  async #take({ room }: Turn, message: Message, place: Place | undefined): Promise<Receipt> {
    const { metrics, intake } = this.#services
    const { name } = this.#source
    const waits = room.enter()
    // Not awaited for nothing: who finds room is not overtaken.
    if (waits !== undefined) await waits
    metrics.inHand(name, 1)
    try {
      return await intake.take(this.#source, message, place)
    } finally {
      metrics.inHand(name, -1)
      room.leave()
    }
  }
}

const isRefusal = (error: unknown): error is EventspineError =>
  error instanceof EventspineError && (error.code === 'EVENT_TOO_LARGE' || error.code === 'REQUEST_INVALID')

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const closed = (name: string) =>
  new EventspineError(
    'STOPPED',
    `The source "${name}" has ended here, and takes nothing any more. Do not acknowledge this message: it is to be received again.`,
  )

const reasonMax = 500

const reasonOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).slice(0, reasonMax)
