// The keys that all servers of a log share: read again every moment, so that one that is made or withdrawn at another server
// is valid, or is not, here as well.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Eventspine, Logger, StoredKey } from 'eventspine'
import { type ApiKey, type KeyRing, type Scope, scopes } from './api-key.js'

/** For keys that nobody knows: whoever presents one after another is no load to the database. */
const lookNowEveryMs = 200
/** A database that does not answer leaves no caller waiting. */
const lookNowMsMax = 1_000

export class StoredKeys {
  readonly #spine: Eventspine
  readonly #ring: KeyRing
  readonly #everyMs: number
  readonly #logger: Logger
  #timer: NodeJS.Timeout | undefined
  #reading: Promise<void> | undefined
  #isAway = false
  #lookedNowAt = Number.NEGATIVE_INFINITY
  #lookingNow: Promise<void> | undefined

  constructor(spine: Eventspine, ring: KeyRing, everyMs: number, logger: Logger) {
    this.#spine = spine
    this.#ring = ring
    this.#everyMs = everyMs
    this.#logger = logger
  }

  /** Reads them, and again and again. While the database is away those hold that were read last. */
  async start(): Promise<void> {
    await this.#look()
    this.#timer = setTimeout(() => this.#again(), this.#everyMs).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** As the database has them now, for what this server changed itself. Throws when it is away. */
  async read(): Promise<void> {
    // A reading that has begun may not see what was changed a moment ago.
    await this.#reading?.catch(() => undefined)
    this.#reading = this.#read()
    await this.#reading
  }

  /** For a key that is not known: it may have been made since they were read. All that ask within 200 ms share one reading. Does not
   *  throw. */
  async lookNow(): Promise<void> {
    if (this.#timer === undefined) return
    this.#lookingNow ??= this.#lookSoon()
    await Promise.race([this.#lookingNow, sleep(lookNowMsMax, undefined, { ref: false })])
  }

  async #lookSoon(): Promise<void> {
    const waitMs = Math.max(0, this.#lookedNowAt + lookNowEveryMs - performance.now())
    await sleep(waitMs, undefined, { ref: false })
    this.#lookedNowAt = performance.now()
    // Who asks from here on may have been given a key that this reading does not see.
    this.#lookingNow = undefined
    await this.#look()
  }

  async #read(): Promise<void> {
    const keys = await this.#spine.operator().access.keys()
    this.#ring.share(keys.filter(({ withdrawn }) => withdrawn === null).map(recordOf))
  }

  async #again(): Promise<void> {
    await this.#look()
    this.#timer?.refresh()
  }

  async #look(): Promise<void> {
    try {
      await this.read()
      this.#isAway = false
    } catch (error) {
      if (!this.#isAway) this.#logger.warn('API keys cannot be read: those known hold', { error })
      this.#isAway = true
    }
  }
}

const isScope = (text: string): text is Scope => (scopes as readonly string[]).includes(text)

// What a newer server knows and this one does not opens nothing here.
export const recordOf = ({ id, hash, name, scopes: given, tenant }: StoredKey): ApiKey => ({
  ...{ id, hash, name, scopes: given.filter(isScope) },
  ...(tenant === null ? {} : { tenant }),
})
