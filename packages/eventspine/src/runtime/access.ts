// API keys and sessions that all servers of this log share. What a key may is its server's affair: here it is kept.
import { type NewStoredKey, type StoredKey, type StoredSession, storedKeysMax } from '../access/index.js'
import { EventspineError } from '../kernel/index.js'
import { checkName, checkText } from '../redrive/index.js'
import type { Store } from '../store/store.js'

const scopesMax = 20

export class Access {
  readonly #store: Store

  constructor({ store }: { readonly store: Store }) {
    this.#store = store
  }

  /** The valid ones, at most 1,000, the newest first; then as many that were withdrawn, the last first. */
  keys(): Promise<readonly StoredKey[]> {
    return this.#store.storedKeys()
  }

  /** From now on valid. Throws REQUEST_INVALID. */
  async create(key: NewStoredKey, actor: string, reason?: string): Promise<void> {
    const { id, name, tenant, scopes } = key
    checkName('id', id)
    checkName('name', name)
    if (tenant !== null) checkName('tenant', tenant)
    if (scopes.length === 0 || scopes.length > scopesMax)
      throw new EventspineError('REQUEST_INVALID', `A key has 1 to ${scopesMax} scopes.`, {
        field: '/scopes',
      })
    const why = reason === undefined ? null : checkText('reason', reason)
    const details = { name, scopes, tenant, reason: why }
    const act = { actor: checkName('actor', actor), action: 'key.create', target: id, details }
    if (await this.#store.storeKey(key, act)) return
    throw new EventspineError(
      'REQUEST_INVALID',
      `The key was not kept: there are ${storedKeysMax} valid keys, which is the limit, or one has its id. Withdraw those that nobody needs.`,
    )
  }

  /** From now on worth nothing, and its sessions with it. Throws NOT_FOUND for one that is not valid. */
  async withdraw(id: string, actor: string, reason: string): Promise<StoredKey> {
    checkName('id', id)
    const key = await this.#store.withdrawKey(id, checkName('actor', actor), checkText('reason', reason))
    if (key !== null) return key
    throw new EventspineError(
      'NOT_FOUND',
      `There is no valid key "${id}" in the database. Those of a file are withdrawn there: take its record out of the file.`,
      { field: '/id' },
    )
  }

  /** Answers when it ends, in milliseconds since 1970. Beyond `sessionsMax` the oldest of the key ends. */
  openSession(
    tokenHash: string,
    session: Pick<StoredSession, 'keyId' | 'keyHash'>,
    limits: { readonly lifeMs: number; readonly sessionsMax: number },
  ): Promise<number> {
    return this.#store.openSession(tokenHash, session, limits)
  }

  /** Null for one that has ended, or never was. */
  session(tokenHash: string): Promise<StoredSession | null> {
    return this.#store.session(tokenHash)
  }

  closeSession(tokenHash: string): Promise<void> {
    return this.#store.closeSession(tokenHash)
  }
}
