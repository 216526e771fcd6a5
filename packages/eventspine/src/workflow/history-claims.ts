// Large answers lie in the object store, as the bodies of large events do: the history says where.
import type { ClaimPort } from '../append/index.js'
import { dataOf } from './history.js'
import type { Entry, EntryKind } from './port.js'

const claimedKinds: Partial<Record<EntryKind, EntryKind>> = {
  'step-done': 'step-claimed',
  occurred: 'event-claimed',
}
const plainKinds = new Map(
  Object.entries(claimedKinds).map(([plain, claimed]) => [claimed, plain as EntryKind]),
)

export interface HistoryClaimServices {
  readonly claim: Pick<ClaimPort, 'put' | 'get'>
  /** Bytes of JSON above which an answer goes there. */
  readonly softLimitBytes: number
}

export class HistoryClaims {
  readonly #services: HistoryClaimServices

  constructor(services: HistoryClaimServices) {
    this.#services = services
  }

  /** As they are recorded. */
  async checkedIn(tenant: string, entries: readonly Entry[]): Promise<readonly Entry[]> {
    if (!entries.some((entry) => this.#isLarge(entry))) return entries
    return await Promise.all(
      entries.map((entry) => (this.#isLarge(entry) ? this.#put(tenant, entry) : entry)),
    )
  }

  /** As the code is given them. Rejects where a body is gone. */
  async fetched(entries: readonly Entry[]): Promise<readonly Entry[]> {
    if (!entries.some(({ kind }) => plainKinds.has(kind))) return entries
    return await Promise.all(entries.map((entry) => this.#get(entry)))
  }

  // No character of UTF-16 takes more than three bytes of UTF-8.
  #isLarge({ kind, data }: Entry): boolean {
    const { softLimitBytes } = this.#services
    if (data === null || data.length * 3 <= softLimitBytes || claimedKinds[kind] === undefined) return false
    return Buffer.byteLength(data) > softLimitBytes
  }

  async #put(tenant: string, entry: Entry): Promise<Entry> {
    const reference = await this.#services.claim.put(tenant, entry.data as string)
    return { ...entry, kind: claimedKinds[entry.kind] as EntryKind, data: JSON.stringify({ reference }) }
  }

  async #get(entry: Entry): Promise<Entry> {
    const kind = plainKinds.get(entry.kind)
    if (kind === undefined) return entry
    const { reference } = dataOf<{ readonly reference: string }>(entry)
    return { ...entry, kind, data: await this.#services.claim.get(reference) }
  }
}
