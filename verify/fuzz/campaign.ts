// Fires the requests of one seed at a running server, a bounded number at once, and collects what is judged wrong.
import { Connection, type Outcome } from './answer/connection.js'
import type { Judge } from './answer/judge.js'
import type { LogBook } from './answer/log-book.js'
import type { Reply } from './answer/reply.js'
import { bytesOf, type Case } from './request/case.js'
import type { Composer } from './request/compose.js'
import type { State } from './request/state.js'

const answerMsMax = 30_000
/** Answers larger than this teach nothing new. */
const learntBytesMax = 256 * 1024

export interface Violation {
  /** Of the request, to be sent again with `--only`. */
  readonly index: number | undefined
  readonly says: string
  readonly fault: string
  /** The request and the answer, shortened. */
  readonly shown: string
}

export interface OperationFigures {
  requests: number
  successes: number
  /** Of all of them together. */
  ms: number
}

export interface Parts {
  readonly seed: number
  readonly port: number
  readonly lanes: number
  readonly composer: Composer
  readonly state: State
  readonly judge: Judge
  readonly book: LogBook
}

export class Campaign {
  readonly #parts: Parts
  readonly violations: Violation[] = []
  readonly statuses = new Map<number, number>()
  readonly byOperation = new Map<string, OperationFigures>()
  slowest: { readonly ms: number; readonly says: string } = { ms: 0, says: '' }
  requests = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Sends the requests `from` up to `until`, excluded. */
  async run(from: number, until: number, violationsMax: number): Promise<void> {
    let next = from
    const lane = async () => {
      const connection = new Connection(this.#parts.port, answerMsMax)
      try {
        while (next < until && this.violations.length < violationsMax) await this.send(next++, connection)
      } finally {
        connection.close()
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#parts.lanes, until - from) }, lane))
  }

  /** One request, judged. */
  async send(index: number, connection: Connection): Promise<Outcome> {
    const { composer, seed } = this.#parts
    const asked = composer.compose(seed, index)
    const outcome = await connection.exchange(bytesOf(asked), asked.method)
    this.#count(asked, outcome)
    for (const fault of this.#judged(asked, outcome)) {
      this.violations.push({ index, says: asked.says, fault, shown: shown(asked, outcome.reply) })
    }
    return outcome
  }

  /** For `--only` and stalls: a connection to send with. */
  connection(): Connection {
    return new Connection(this.#parts.port, answerMsMax)
  }

  #judged(asked: Case, outcome: Outcome): readonly string[] {
    const { judge, book, state } = this.#parts
    const faults = judge.violations(asked, outcome)
    const { reply } = outcome
    if (reply === undefined || reply.status >= 300 || reply.body.length === 0) return faults
    if (reply.headers.get('content-type')?.startsWith('application/json') !== true) return faults
    if (reply.body.length > learntBytesMax) return faults
    const answer = JSON.parse(reply.body.toString('utf8')) as {
      readonly events?: unknown
      readonly event?: unknown
    }
    if (asked.operation !== undefined) state.learn(asked.operation, answer)
    const published =
      reply.status === 202 && (Array.isArray(answer.events) || typeof answer.event === 'object')
    return published ? [...faults, ...book.accepted(asked, reply)] : faults
  }

  #count(asked: Case, { reply, ms }: Outcome): void {
    this.requests++
    const status = reply?.status ?? 0
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    if (ms > this.slowest.ms)
      this.slowest = { ms: Math.round(ms), says: `request ${asked.index}, ${asked.says}` }
    if (asked.operation === undefined) return
    const { id } = asked.operation
    const counts = this.byOperation.get(id) ?? { requests: 0, successes: 0, ms: 0 }
    counts.requests++
    counts.ms += ms
    if (status >= 200 && status < 400) counts.successes++
    this.byOperation.set(id, counts)
  }
}

const shownCharactersMax = 1_500

function shown(asked: Case, reply: Reply | undefined): string {
  const sent = bytesOf(asked).toString('latin1')
  const got =
    reply === undefined
      ? 'nothing'
      : `${reply.status} ${JSON.stringify(Object.fromEntries(reply.headers))}\n${reply.body.toString('utf8')}`
  return `${sent.slice(0, shownCharactersMax)}\n---> ${got.slice(0, shownCharactersMax)}`
}
