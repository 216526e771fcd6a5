// A handler that never gives the event loop back stops every other one of its process, heartbeats included. From a
// thread of its own this watch sees it and kills the process: its leases pass on, the event is counted as one that
// kills its process, and the supervisor starts a new one.
import inspector from 'node:inspector'
import { Worker } from 'node:worker_threads'
import type { Logger } from '../observe/log.js'
import type { App } from './app.js'

/** A beat is a wake-up of two threads: of the 36 times a second that an idle worker woke up, 8 were beats of 250 ms. */
const beatMsMax = 1_000
/** So many in the time that is allowed: a standstill is seen a beat or two late. */
const beatsOfLimit = 16
/** Of the shortest lease: one that blocks for longer would lose it, leave nothing on record, and be run again for ever. */
const leaseShareMax = 0.8

/** After how long a standstill the process is killed. 0 switches the watch off. */
export const stallLimitMs = (wantedMs: number, { subscriptions }: App) =>
  Math.min(wantedMs, ...subscriptions.map(({ leaseMs }) => leaseMs * leaseShareMax))

const program = `
const { workerData } = require('node:worker_threads')
const { cell, beatMs, stalledMs, processId } = workerData
const beats = new Int32Array(cell)
let last = -1
let since = Date.now()
let looked = since
setInterval(() => {
  const now = Date.now()
  // Two looks far apart mean that the whole process was stopped (SIGSTOP, sleep of the machine): begin anew.
  if (now - looked > 5 * beatMs) since = now
  looked = now
  const beat = Atomics.load(beats, 0)
  if (beat !== last) { last = beat; since = now; return }
  if (now - since < stalledMs) return
  require('node:fs').writeSync(2, JSON.stringify({ time: new Date().toISOString(), level: 'error', message: 'the event loop has stood still for ' + (now - since) + ' ms: a handler blocks it. Killing the process so that its work passes on' }) + '\\n')
  process.kill(processId, 'SIGKILL')
}, beatMs).unref()
setInterval(() => {}, 1e9)
`

export class StallWatch {
  readonly #stalledMs: number
  readonly #logger: Logger
  #thread: Worker | undefined
  #timer: NodeJS.Timeout | undefined

  /** 0 switches it off. */
  constructor(stalledMs: number, logger: Logger) {
    this.#stalledMs = stalledMs
    this.#logger = logger
  }

  start(): void {
    // A person at a breakpoint stands still, too.
    if (this.#stalledMs === 0 || this.#thread !== undefined || inspector.url() !== undefined) return
    const beats = new Int32Array(new SharedArrayBuffer(4))
    const beatMs = Math.min(beatMsMax, this.#stalledMs / beatsOfLimit)
    this.#timer = setInterval(() => Atomics.add(beats, 0, 1), beatMs)
    this.#timer.unref()
    this.#thread = new Worker(program, {
      eval: true,
      workerData: { cell: beats.buffer, beatMs, stalledMs: this.#stalledMs, processId: process.pid },
      execArgv: [],
    })
    this.#thread.on('error', (error) => this.#logger.warn('the stall watch ended', { error }))
    this.#thread.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    void this.#thread?.terminate()
    this.#thread = undefined
    this.#timer = undefined
  }
}
