// Load over HTTP that does not wait for answers: requests leave at their moments, many in a row on each connection. Where
// 64 of a connection have no answer, further ones are held back, as any client would; a rude one sends on.
// Written and read byte by byte, since a client library would be the bottleneck of a tenfold overload.
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from './app.js'

const beatMs = 5
const drainMsMax = 30_000
const windowMs = 100
const samplesMax = 50_000
/** Not answered on one connection, above which a client sends no more on it. */
const askedMax = 64
/** 48 connections of a flood have fewer open than a credential may: nothing is refused. */
const floodAsked = 2

export const httpId = (n: number) => `http-${n}`

export interface HttpLoadOptions {
  readonly url: string
  readonly key: string
  readonly connections: number
  /** Sends on whatever is not answered, and cuts all connections at the end instead of waiting. */
  readonly rude?: boolean
}

export interface HttpLoad {
  readonly offered: number
  /** Of them, not sent: too many before them on the connection had no answer yet. */
  readonly heldBack: number
  readonly seconds: number
  readonly acknowledged: readonly number[]
  readonly statuses: ReadonlyMap<number, number>
  /** Refusals with 429 or 503 that do not say when to come back. */
  readonly withoutRetryAfter: number
  /** Neither acknowledged nor refused: their connection ended, or they waited too long. */
  readonly unanswered: number
  readonly latencyMs: readonly number[]
  readonly refusalMs: readonly number[]
  readonly perWindow: readonly number[]
  /** How late the generator was, at the 99th percentile of its beats. */
  readonly lateMs99: number
}

interface Asked {
  readonly n: number
  readonly intendedAtMs: number
}

class Lane {
  readonly asked: Asked[] = []
  readonly socket: Socket
  #text = ''

  constructor(port: number, answered: (asked: Asked, status: number, head: string) => void) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setNoDelay(true).on('error', () => {})
    this.socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1')
      this.#read(answered)
    })
  }

  #read(answered: (asked: Asked, status: number, head: string) => void): void {
    let from = 0
    for (;;) {
      const end = this.#text.indexOf('\r\n\r\n', from)
      if (end < 0) break
      const head = this.#text.slice(from, end)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (this.#text.length < end + 4 + length) break
      from = end + 4 + length
      const asked = this.asked.shift()
      if (asked !== undefined) answered(asked, Number(head.slice(9, 12)), head)
    }
    this.#text = this.#text.slice(from)
  }
}

export class HttpLoader {
  readonly #options: HttpLoadOptions
  readonly #first: number
  readonly #lanes: Lane[]
  readonly #acknowledged: number[] = []
  readonly #statuses = new Map<number, number>()
  readonly #latencyMs: number[] = []
  readonly #refusalMs: number[] = []
  readonly #perWindow: number[] = []
  readonly #beganAtMs = monotonicMs()
  readonly #late: number[] = []
  #offered = 0
  #heldBack = 0
  #answered = 0
  #withoutRetryAfter = 0

  /** Events are numbered from `first`. */
  constructor(options: HttpLoadOptions, first: number) {
    this.#options = options
    this.#first = first
    const port = Number(new URL(options.url).port)
    this.#lanes = Array.from({ length: options.connections }, () => new Lane(port, this.#take))
  }

  /** Open loop: as many a second, whatever comes back. */
  async pace(eventsPerSecond: number, seconds: number): Promise<HttpLoad> {
    const all = Math.floor(eventsPerSecond * seconds)
    while (this.#offered < all && this.#elapsedMs() < seconds * 1_000) {
      const due = Math.min(all, Math.ceil((this.#elapsedMs() / 1_000) * eventsPerSecond))
      this.#late.push(((due - this.#offered) / eventsPerSecond) * 1_000)
      this.#send(due - this.#offered, eventsPerSecond)
      await delay(beatMs)
    }
    return this.#result()
  }

  /** Closed loop, to learn what it takes: so many requests on each connection, and one more for each answer. */
  async flood(seconds: number): Promise<HttpLoad> {
    while (this.#elapsedMs() < seconds * 1_000) {
      for (const lane of this.#lanes)
        this.#write(lane, Array(Math.max(0, floodAsked - lane.asked.length)).fill(monotonicMs()))
      await delay(1)
    }
    return this.#result()
  }

  // Spread over the connections, one write for each: system calls are what it costs.
  #send(count: number, eventsPerSecond: number): void {
    const share = Math.ceil(count / this.#lanes.length)
    for (let left = count, at = this.#offered; left > 0; left -= share, at++) {
      const lane = this.#lanes[at % this.#lanes.length]
      if (lane === undefined) return
      const moments = Array.from(
        { length: Math.min(share, left) },
        (_, index) => this.#beganAtMs + ((this.#offered + index) / eventsPerSecond) * 1_000,
      )
      this.#write(lane, moments)
    }
  }

  #write(lane: Lane, moments: readonly number[]): void {
    if (lane.socket.destroyed) return
    let text = ''
    for (const intendedAtMs of moments) {
      if (!this.#options.rude && lane.asked.length >= askedMax) {
        this.#offered++
        this.#heldBack++
        continue
      }
      const n = this.#first + this.#offered++
      const body = `{"type":"ward.reading","id":"${httpId(n)}","source":"/overload","data":{"n":${n}}}`
      text += `POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${this.#options.key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      lane.asked.push({ n, intendedAtMs })
    }
    if (text !== '') lane.socket.write(text)
  }

  readonly #take = ({ n, intendedAtMs }: Asked, status: number, head: string): void => {
    this.#answered++
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    const ms = monotonicMs() - intendedAtMs
    if (status === 202) {
      this.#acknowledged.push(n)
      if (this.#latencyMs.length < samplesMax) this.#latencyMs.push(ms)
      const window = Math.floor(this.#elapsedMs() / windowMs)
      this.#perWindow[window] = (this.#perWindow[window] ?? 0) + 1
      return
    }
    if (this.#refusalMs.length < samplesMax) this.#refusalMs.push(ms)
    if ((status === 429 || status === 503) && !/\r\nretry-after: \d/i.test(head)) this.#withoutRetryAfter++
  }

  async #result(): Promise<HttpLoad> {
    const seconds = this.#elapsedMs() / 1_000
    const giveUpAt = monotonicMs() + (this.#options.rude ? 0 : drainMsMax)
    while (this.#open() && monotonicMs() < giveUpAt) await delay(beatMs)
    for (const { socket } of this.#lanes) socket.destroy()
    const late = [...this.#late].sort((a, b) => a - b)
    return {
      ...{ offered: this.#offered, heldBack: this.#heldBack, seconds, acknowledged: this.#acknowledged },
      ...{ statuses: this.#statuses, withoutRetryAfter: this.#withoutRetryAfter },
      unanswered: this.#offered - this.#heldBack - this.#answered,
      ...{ latencyMs: this.#latencyMs, refusalMs: this.#refusalMs },
      perWindow: Array.from(this.#perWindow, (count) => count ?? 0),
      lateMs99: late[Math.floor(late.length * 0.99)] ?? 0,
    }
  }

  #open(): boolean {
    return this.#lanes.some(({ socket, asked }) => !socket.destroyed && asked.length > 0)
  }

  #elapsedMs(): number {
    return monotonicMs() - this.#beganAtMs
  }
}
