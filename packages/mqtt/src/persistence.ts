// MQTT has no "not now": what was not acknowledged is sent again after the next connection, and not before. So a message that
// the log does not take at the moment is held, with those behind it of its order key, and they are tried again in their order until it
// does, or their source ends.
import { EventspineError } from 'eventspine'
import type { ReceivedMessage, SourceRun } from 'eventspine/source'

const passing = new Set(['UNAVAILABLE', 'OVERLOADED', 'UNKNOWN_OUTCOME'])
const pauseMsMin = 50
const pauseMsMax = 2_000

interface Held {
  readonly message: ReceivedMessage
  /** Undefined where it is, whatever becomes of its connection. */
  readonly isWanted: (() => boolean) | undefined
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Messages of one order key. */
interface Lane {
  readonly orderKey: string
  /** In the order in which they came; those that are settled have left. */
  readonly held: Set<Held>
  /** Handed to the log, without an answer so far. */
  asked: number
  /** One was not taken: none is handed over until all are answered and a pause is over. */
  isBroken: boolean
  pauseMs: number
}

export class Persistence {
  readonly #run: Pick<SourceRun, 'receive' | 'signal' | 'pause'>
  /** As many as there are messages in hand, at most. */
  readonly #lanes = new Map<string, Lane>()

  constructor(run: Pick<SourceRun, 'receive' | 'signal' | 'pause'>) {
    this.#run = run
  }

  /** Resolves when the message is durable. Rejects with STOPPED, with what is wrong with the message, with what passes once the
   *  source is to end, and where it is not wanted any more when it is tried again. */
  receive(message: ReceivedMessage & { readonly orderKey: string }, isWanted?: () => boolean): Promise<void> {
    const lane = this.#laneOf(message.orderKey)
    return new Promise((resolve, reject) => {
      const held = { message, isWanted, resolve, reject }
      lane.held.add(held)
      if (!lane.isBroken) void this.#ask(lane, held)
    })
  }

  #laneOf(orderKey: string): Lane {
    const known = this.#lanes.get(orderKey)
    if (known !== undefined) return known
    const lane: Lane = { orderKey, held: new Set(), asked: 0, isBroken: false, pauseMs: pauseMsMin }
    this.#lanes.set(orderKey, lane)
    return lane
  }

  async #ask(lane: Lane, held: Held): Promise<void> {
    lane.asked++
    try {
      await this.#run.receive(held.message)
      lane.pauseMs = pauseMsMin
      lane.held.delete(held)
      held.resolve()
    } catch (error) {
      if (isPassing(error) && !this.#run.signal.aborted) lane.isBroken = true
      else refuse(lane, held, error)
    }
    lane.asked--
    if (lane.asked > 0) return
    if (lane.held.size === 0) this.#lanes.delete(lane.orderKey)
    else void this.#askAgain(lane)
  }

  async #askAgain(lane: Lane): Promise<void> {
    await this.#run.pause(lane.pauseMs)
    lane.pauseMs = Math.min(pauseMsMax, lane.pauseMs * 2)
    lane.isBroken = false
    for (const held of lane.held)
      if (held.isWanted?.() === false) refuse(lane, held, new Error('its connection is gone'))
      else void this.#ask(lane, held)
    if (lane.held.size === 0) this.#lanes.delete(lane.orderKey)
  }
}

function refuse(lane: Lane, held: Held, error: unknown): void {
  lane.held.delete(held)
  held.reject(error)
}

const isPassing = (error: unknown) => error instanceof EventspineError && passing.has(error.code)

/** It will never be taken, whoever sends it how often. */
export const isRefused = (error: unknown) =>
  error instanceof EventspineError && (error.code === 'EVENT_TOO_LARGE' || error.code === 'REQUEST_INVALID')
