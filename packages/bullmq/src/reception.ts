// One run of a source: a worker of BullMQ. Where it loses Redis the run ends, so that whoever looks sees why nothing comes in; a
// job that it could not complete then is found stalled, comes again, and is the same event.
import { DelayedError, type Job, UnrecoverableError, Worker, type WorkerOptions } from 'bullmq'
import { EventspineError } from 'eventspine'
import type { Receipt, SourceRun } from 'eventspine/source'
import { isConnectionLost } from './failure.js'
import { receivedOf } from './job.js'
import { within } from './within.js'

const readyMsMax = 10_000
/** Jobs are given back meanwhile, and a source has 5 s to end. */
const closeMsMax = 4_000
const pauseMsMin = 250
const pauseMsMax = 15_000

/** What a completed job answers: what became of it. */
interface Answer {
  readonly outcome: Receipt['outcome']
  readonly events: readonly string[]
}

export class Reception {
  readonly #queue: string
  readonly #options: WorkerOptions
  readonly #run: SourceRun
  readonly #ended = new AbortController()
  readonly #signal: AbortSignal

  constructor(queue: string, options: WorkerOptions, run: SourceRun) {
    this.#queue = queue
    this.#options = options
    this.#run = run
    this.#signal = AbortSignal.any([run.signal, this.#ended.signal])
  }

  /** Until its signal aborts. Throws when Redis is away. */
  async run(): Promise<void> {
    const worker = new Worker<unknown, Answer>(
      this.#queue,
      (job, token) => this.#take(job, token),
      this.#options,
    )
    let lost: unknown
    worker.on('error', (error) => {
      if (!isConnectionLost(error)) return void this.#warn(error)
      lost ??= error
      this.#ended.abort()
    })
    try {
      const over = aborted(this.#signal)
      const ready = Promise.race([worker.waitUntilReady(), over])
      await within(readyMsMax, ready, `Redis did not answer within ${readyMsMax / 1_000} s`)
      // It fetches jobs until it is closed.
      if (!this.#signal.aborted) await Promise.race([worker.run(), over])
    } catch (error) {
      throw lost ?? error
    } finally {
      this.#ended.abort()
      await close(worker)
    }
    if (lost !== undefined) throw lost
  }

  #warn(error: Error): void {
    this.#run.logger.warn('BullMQ reports an error', { queue: this.#queue, error })
  }

  // While the log is away the job stays in hand, under its lock: failed, it would spend its attempts for nothing.
  async #take(job: Job<unknown>, token: string | undefined): Promise<Answer> {
    for (let failures = 1; ; failures++) {
      try {
        const { outcome, events } = await this.#run.receive(receivedOf(job))
        return { outcome, events: events.map(({ id }) => id) }
      } catch (error) {
        if (!(error instanceof EventspineError)) throw error
        if (error.code === 'EVENT_TOO_LARGE' || error.code === 'REQUEST_INVALID') throw refused(job, error)
        if (this.#signal.aborted || error.code === 'STOPPED') return await giveBack(job, token)
        await this.#run.pause(error.retryAfterMs ?? pauseMs(failures))
      }
    }
  }
}

/** Due at once, for any worker, and no attempt is spent. */
async function giveBack(job: Job<unknown>, token: string | undefined): Promise<never> {
  await job.moveToDelayed(Date.now(), token)
  throw new DelayedError()
}

/** It will never be taken: a failed job, which stays where people look for those, also where failed ones are removed. */
function refused(job: Job<unknown>, error: EventspineError): Error {
  job.opts.removeOnFail = false
  return new UnrecoverableError(`${error.code}: ${error.message}`)
}

async function close(worker: Worker): Promise<void> {
  try {
    await within(closeMsMax, worker.close(), 'The worker of BullMQ did not close')
  } catch {
    // Redis is away: what it holds there runs out by itself.
    await worker.disconnect().catch(() => {})
  }
}

const pauseMs = (failures: number) => Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(failures - 1, 10))

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
