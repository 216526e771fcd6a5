// Ordered keys whose rows wait in the store: makes the first of each due when the one before it is through, and frees
// the keys that have none.
import type { OrderingKey } from '../event/stored.js'
import type { KeyOrder } from './key-order.js'
import type { Lease, RetryPort } from './port.js'

export class Promotion {
  readonly #keys: KeyOrder
  readonly #lease: Lease
  readonly #port: Pick<RetryPort, 'blockedKeys' | 'promote'>
  readonly #due: () => void
  /** The store was away. */
  #missed: OrderingKey[] = []

  /** `due` is called when a row may have become due. */
  constructor(
    keys: KeyOrder,
    lease: Lease,
    port: Pick<RetryPort, 'blockedKeys' | 'promote'>,
    due: () => void,
  ) {
    this.#keys = keys
    this.#lease = lease
    this.#port = port
    this.#due = due
  }

  /** Learns what earlier holders of the lease left behind. Rejects when the store is away. */
  async restore(): Promise<void> {
    const { open, halted } = await this.#port.blockedKeys(this.#lease)
    this.#keys.restore(open.keys(), halted)
    await this.promote(this.#keys.blockedKeys())
  }

  /** What fails is tried again by `tend`. */
  async promote(keys: readonly OrderingKey[]): Promise<void> {
    if (keys.length === 0) return
    try {
      const asked = this.#keys.asking(keys)
      this.#keys.unblock(asked, await this.#port.promote(this.#lease, keys))
      this.#due()
    } catch {
      this.#missed.push(...keys)
    }
  }

  /** Tries again what failed, and finds the keys that an operator freed. Rejects when the store is away. */
  async tend(): Promise<void> {
    if (this.#missed.length > 0) await this.promote(this.#missed.splice(0))
    if (!this.#keys.halted) return
    const asked = this.#keys.asking(this.#keys.haltedKeys())
    const { open, halted } = await this.#port.blockedKeys(this.#lease)
    const freed = this.#keys.refresh(asked, halted)
    // A letter that was sent again may wait behind one that was through before it came: nobody else would call it.
    await this.promote([...freed, ...[...asked.keys()].filter((key) => halted.has(key) && open.has(key))])
  }
}
