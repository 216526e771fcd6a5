// What changes while somebody looks: rows that are read again and again, once for all who watch, and each reader is sent what has changed
// since it last took something. A slow one misses what was between and costs one number; one that comes back goes on from there.
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

interface Entry {
  /** Null: it is gone. */
  readonly json: string | null
  readonly revision: number
}

export interface LiveOptions<Row> {
  /** By their key; what is not among them is gone. */
  readonly read: () => Promise<ReadonlyMap<string, Row>>
  /** Between two reads. */
  readonly everyMs: number
}

const heartbeatMs = 15_000
/** Rows that are gone and still remembered; beyond, whoever comes back is sent everything. */
const goneMax = 1_000

export class Live<Row> {
  readonly #options: LiveOptions<Row>
  #epoch = randomBytes(6).toString('hex')
  #revision = 0
  #entries = new Map<string, Entry>()
  #gone = 0
  #readers = 0
  #isRead = false
  #fails = false
  /** Told behind each read. */
  readonly #beats = new EventEmitter().setMaxListeners(0)
  #reading: Promise<void> | undefined

  constructor(options: LiveOptions<Row>) {
    this.#options = options
  }

  get readers(): number {
    return this.#readers
  }

  /** Server-sent events until `ended`. `lastId`: of the last one that the reader has. */
  async *messages(lastId: string | undefined, ended: AbortSignal): AsyncGenerator<string> {
    this.#readers += 1
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined
    })
    try {
      yield 'retry: 2000\n\n'
      yield* this.#changes(this.#placeOf(lastId), ended)
    } finally {
      this.#readers -= 1
    }
  }

  async *#changes(from: number | undefined, ended: AbortSignal): AsyncGenerator<string> {
    let seen = from
    let epoch = this.#epoch
    let saidMs = performance.now()
    if (!this.#isRead) await this.#nextBeat(ended)
    while (!ended.aborted) {
      if (epoch !== this.#epoch) [seen, epoch] = [undefined, this.#epoch]
      if (this.#fails) yield 'event: unreadable\ndata: {}\n\n'
      else if (seen === undefined || seen < this.#revision) {
        const message = this.#since(seen)
        seen = this.#revision
        saidMs = performance.now()
        yield message
      } else if (performance.now() - saidMs >= heartbeatMs) {
        saidMs = performance.now()
        yield 'event: heartbeat\ndata: {}\n\n'
      }
      await this.#nextBeat(ended)
    }
  }

  /** Without `seen`: everything, and `full` says that there is nothing else. */
  #since(seen: number | undefined): string {
    const changed: string[] = []
    const gone: string[] = []
    for (const [key, { json, revision }] of this.#entries) {
      if (revision <= (seen ?? 0)) continue
      if (json !== null) changed.push(json)
      else if (seen !== undefined) gone.push(key)
    }
    const data = `{"now":${Date.now()},"full":${seen === undefined},"gone":${JSON.stringify(gone)},"rows":[${changed.join()}]}`
    return `id: ${this.#epoch}-${this.#revision}\nevent: rows\ndata: ${data}\n\n`
  }

  #placeOf(id: string | undefined): number | undefined {
    const [, epoch, revision] = /^([0-9a-f]{12})-(\d{1,15})$/.exec(id ?? '') ?? []
    return epoch === this.#epoch ? Number(revision) : undefined
  }

  async #nextBeat(ended: AbortSignal): Promise<void> {
    await once(this.#beats, 'beat', { signal: ended }).catch(() => undefined)
  }

  async #readOn(): Promise<void> {
    while (this.#readers > 0) {
      try {
        this.#take(await this.#options.read())
        this.#fails = false
      } catch {
        // Readers are told, and it is tried again.
        this.#fails = true
      }
      this.#isRead = true
      this.#beats.emit('beat')
      await delay(this.#options.everyMs, undefined, { ref: false })
    }
    // What was read then is old by the time when somebody comes.
    this.#isRead = false
  }

  #take(rows: ReadonlyMap<string, Row>): void {
    const revision = this.#revision + 1
    let changes = 0
    for (const [key, row] of rows) {
      const json = JSON.stringify(row)
      const before = this.#entries.get(key)
      if (before?.json === json) continue
      if (before?.json === null) this.#gone -= 1
      this.#entries.set(key, { json, revision })
      changes += 1
    }
    for (const [key, { json }] of this.#entries) {
      if (json === null || rows.has(key)) continue
      this.#entries.set(key, { json: null, revision })
      this.#gone += 1
      changes += 1
    }
    if (changes > 0) this.#revision = revision
    if (this.#gone > goneMax) this.#forget()
  }

  #forget(): void {
    this.#epoch = randomBytes(6).toString('hex')
    this.#entries = new Map([...this.#entries].filter(([, { json }]) => json !== null))
    this.#gone = 0
  }
}
