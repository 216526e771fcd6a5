// Measures for how long the event loop of this process stood still, and which requests were open then. Time that
// others had the processor does not count: a stall is at most as long as the processor time spent in it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Stall {
  readonly ms: number
  /** X-Request-Id of the requests that were open while it lasted. */
  readonly requests: readonly string[]
}

const beatMs = 5
const stallMsMin = 25
const stallsMax = 8

const requestOf = (message: unknown) =>
  (message as { readonly request: IncomingMessage; readonly response: ServerResponse }).request

export class LoopWatch {
  readonly #open = new Map<IncomingMessage, string>()
  readonly #sockets = new WeakSet<object>()
  #ended: string[] = []
  #worst: Stall[] = []
  #timer: NodeJS.Timeout | undefined
  #lastMs = 0
  #lastCpu = process.cpuUsage()

  start(): void {
    subscribe('http.server.request.start', this.#begin)
    subscribe('http.server.response.finish', this.#end)
    this.#lastMs = performance.now()
    this.#timer ??= setInterval(() => this.#look(), beatMs)
  }

  stop(): void {
    unsubscribe('http.server.request.start', this.#begin)
    unsubscribe('http.server.response.finish', this.#end)
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** The longest stalls since the last time, longest first. */
  take(): readonly Stall[] {
    this.#look()
    const worst = this.#worst
    this.#worst = []
    return worst
  }

  readonly #begin = (message: unknown): void => {
    const request = requestOf(message)
    this.#open.set(request, String(request.headers['x-request-id'] ?? ''))
    const { socket } = request
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.once('close', () => {
      for (const open of this.#open.keys()) if (open.socket === socket) this.#open.delete(open)
    })
  }

  readonly #end = (message: unknown): void => {
    const request = requestOf(message)
    const id = this.#open.get(request)
    if (id !== undefined) this.#ended.push(id)
    this.#open.delete(request)
  }

  #look(): void {
    const nowMs = performance.now()
    const { user, system } = process.cpuUsage(this.#lastCpu)
    const ms = Math.min(nowMs - this.#lastMs - beatMs, (user + system) / 1_000)
    if (ms >= stallMsMin) this.#note(ms)
    this.#lastMs = nowMs
    this.#lastCpu = process.cpuUsage()
    this.#ended = []
  }

  #note(ms: number): void {
    const requests = [...new Set([...this.#ended, ...this.#open.values()])].filter((id) => id !== '')
    const rounded = Math.round(ms)
    this.#worst = [...this.#worst, { ms: rounded, requests }].sort((a, b) => b.ms - a.ms).slice(0, stallsMax)
  }
}
