// Sessions by which somebody watches at this moment, each with a signal that is aborted when it has ended: what is streamed would go on
// else, long after its reader may not see it any more. What ends here is told at once; what ends elsewhere, or by its time, at the next look.
// A display on the wall has nobody who would sign it in again: as long as it watches its time does not run out.
import type { Database } from '../database.js'

interface Watched {
  readonly ending: AbortController
  watchers: number
}

export interface Watch {
  /** Aborted when the session has ended. */
  readonly ended: AbortSignal
  /** Those of this session, with this one. */
  readonly watchers: number
  /** To be called once, when nobody watches any more. */
  leave(): void
}

/** A row that is written at each look would be a burden. */
const renewEveryMs = 3_600_000

export class SessionWatch {
  readonly #database: Database
  readonly #everyMs: number
  readonly #sessionMs: number
  /** By the hash of their token. As many as there are streams, at most. */
  readonly #watched = new Map<string, Watched>()
  #timer: NodeJS.Timeout | undefined

  /**
   * @param everyMs between two looks, as long as anybody watches
   * @param sessionMs how long the session of a display goes on behind the last of them
   */
  constructor(database: Database, everyMs: number, sessionMs: number) {
    this.#database = database
    this.#sessionMs = sessionMs
    this.#everyMs = everyMs
  }

  join(hash: string): Watch {
    const watched = this.#watched.get(hash) ?? { ending: new AbortController(), watchers: 0 }
    watched.watchers += 1
    this.#watched.set(hash, watched)
    this.#timer ??= setTimeout(() => void this.#look(), this.#everyMs).unref()
    const { ending, watchers } = watched
    return { ended: ending.signal, watchers, leave: () => this.#leave(hash, watched) }
  }

  end(hash: string): void {
    this.#watched.get(hash)?.ending.abort()
    this.#watched.delete(hash)
  }

  #leave(hash: string, watched: Watched): void {
    watched.watchers -= 1
    // Under its hash there may be another one by now.
    if (watched.watchers === 0 && this.#watched.get(hash) === watched) this.#watched.delete(hash)
  }

  async #look(): Promise<void> {
    const asked = [...this.#watched.keys()]
    // While the database cannot say, nothing can be read by them either; it is asked again.
    const open = asked.length === 0 ? [] : await this.#open(asked).catch(() => asked)
    for (const hash of asked) if (!open.includes(hash)) this.end(hash)
    this.#timer =
      this.#watched.size === 0 ? undefined : setTimeout(() => void this.#look(), this.#everyMs).unref()
  }

  async #open(hashes: readonly string[]): Promise<readonly string[]> {
    const rows = await this.#database.query<{ hash: string }>(
      `WITH renewed AS (
         UPDATE ward.session SET expires_at = clock_timestamp() + $2::float8 * interval '1 millisecond'
         WHERE hash = ANY ($1) AND kind = 'display' AND expires_at > clock_timestamp()
           AND expires_at < clock_timestamp() + ($2::float8 - $3::float8) * interval '1 millisecond'
       )
       SELECT hash FROM ward.session WHERE hash = ANY ($1) AND expires_at > clock_timestamp()`,
      [hashes, this.#sessionMs, renewEveryMs],
    )
    return rows.map(({ hash }) => hash)
  }
}
