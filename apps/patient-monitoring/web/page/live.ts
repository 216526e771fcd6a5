// Rows that are kept as the server has them: all at first, then what changes. Where nothing was heard for a while, the page says since when;
// where nobody is signed in any more, it leads to where one signs in.
import { session } from './server.js'

export interface LiveRows<Row> {
  /** By their key. */
  readonly rows: ReadonlyMap<string, Row>
  /** Keys of those that are new, another, or gone. */
  readonly changed: ReadonlySet<string>
}

export interface Following<Row> {
  readonly keyOf: (row: Row) => string
  readonly show: (live: LiveRows<Row>) => void
  /** Whether what is shown is of now; and if it is not, of which time: null where nothing has come so far. */
  readonly fresh: (isFresh: boolean, asOfMs: number | null) => void
}

interface Message<Row> {
  readonly now: number
  readonly full: boolean
  readonly gone: readonly string[]
  readonly rows: readonly Row[]
}

/** The server speaks at least every 15 s. */
const silentMsMax = 25_000
const againMs = 5_000

export class LiveSource<Row> {
  readonly #path: string
  readonly #following: Following<Row>
  readonly #rows = new Map<string, Row>()
  readonly #changed = new Set<string>()
  #stream: EventSource | undefined
  #frame = 0
  #watch = 0
  #aheadMs = 0
  /** When the server spoke last. */
  #heardMs: number | null = null

  constructor(path: string, following: Following<Row>) {
    this.#path = path
    this.#following = following
  }

  /** By the clock of the server. */
  now(): number {
    return Date.now() + this.#aheadMs
  }

  start(): void {
    const stream = new EventSource(this.#path)
    this.#stream = stream
    stream.addEventListener('rows', ({ data }) => this.#take(JSON.parse(data as string) as Message<Row>))
    stream.addEventListener('heartbeat', () => this.#heard())
    stream.addEventListener('unreadable', () => this.#following.fresh(false, this.#heardMs))
    stream.addEventListener('error', () => {
      this.#following.fresh(false, this.#heardMs)
      // Refused, and so not tried again by itself.
      if (stream.readyState === EventSource.CLOSED) void this.#again()
    })
  }

  /** It does not say why. Where the session has ended, asking for it leads away. */
  async #again(): Promise<void> {
    this.#stream?.close()
    await session().catch(() => undefined)
    setTimeout(() => this.start(), againMs)
  }

  #heard(): void {
    this.#heardMs = Date.now()
    this.#following.fresh(true, this.#heardMs)
    clearTimeout(this.#watch)
    this.#watch = window.setTimeout(() => this.#following.fresh(false, this.#heardMs), silentMsMax)
  }

  #take({ now, full, gone, rows }: Message<Row>): void {
    this.#aheadMs = now - Date.now()
    const { keyOf } = this.#following
    const there = new Set(rows.map(keyOf))
    const lost = full ? [...this.#rows.keys()].filter((key) => !there.has(key)) : gone
    for (const key of lost) {
      this.#rows.delete(key)
      this.#changed.add(key)
    }
    for (const row of rows) {
      this.#rows.set(keyOf(row), row)
      this.#changed.add(keyOf(row))
    }
    this.#heard()
    // A page in the background is drawn when somebody looks again.
    this.#frame ||= requestAnimationFrame(() => this.#draw())
  }

  #draw(): void {
    this.#frame = 0
    const changed = new Set(this.#changed)
    this.#changed.clear()
    this.#following.show({ rows: this.#rows, changed })
  }
}
