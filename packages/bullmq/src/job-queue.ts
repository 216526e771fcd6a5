// The connection of a target: there while events are, so that it holds back no process that ends, and none that only knows of the
// subscription opens one.
import { type JobsOptions, Queue, type QueueOptions } from 'bullmq'
import { TransientError } from 'eventspine'
import { errorOf, isConnectionLost } from './failure.js'
import { within } from './within.js'

const addMsMax = 10_000
const closeMsMax = 2_000
const idleMs = 2_000

export interface NewJob {
  readonly name: string
  readonly data: unknown
  readonly opts: JobsOptions
}

export class JobQueue {
  readonly #name: string
  readonly #options: QueueOptions
  #open: Queue | undefined
  #adding = 0
  #idle: NodeJS.Timeout | undefined

  constructor(name: string, options: QueueOptions) {
    this.#name = name
    this.#options = options
  }

  /** Resolves when Redis has it, or had it before. Rejects with an error that says by its category what is to become of the
   *  delivery; where it is not known whether it was added, adding it again is harmless. */
  async add({ name, data, opts }: NewJob): Promise<void> {
    clearTimeout(this.#idle)
    this.#open ??= this.#opened()
    const queue = this.#open
    this.#adding++
    try {
      await within(addMsMax, queue.add(name, data, opts), late)
    } catch (error) {
      const isLate = error instanceof Error && error.message === late
      // A new connection for the next one: in this one, jobs would wait for Redis that are tried again anyway.
      if (isLate || isConnectionLost(error)) this.#drop(queue)
      throw isLate ? new TransientError(late, { cause: error }) : errorOf(error)
    } finally {
      this.#adding--
      if (this.#adding === 0) this.#idle = setTimeout(() => this.#close(), idleMs)
    }
  }

  #opened(): Queue {
    const queue = new Queue(this.#name, this.#options)
    // Whoever adds hears of it, too.
    queue.on('error', () => {})
    return queue
  }

  #close(): void {
    const queue = this.#open
    this.#open = undefined
    if (queue !== undefined)
      void within(closeMsMax, queue.close(), late).catch(() => queue.disconnect().catch(() => {}))
  }

  #drop(queue: Queue): void {
    // Others that were underway on it come here, too.
    if (this.#open !== queue) return
    this.#open = undefined
    void queue.disconnect().catch(() => {})
  }
}

const late = 'Redis did not answer in time'
