// What several servers behind one address share: who may ask, and who is signed in.
import type { Act } from '../append/port.js'

/** What is kept of an API key. */
export interface StoredKey {
  /** The part of the key that says which it is. */
  readonly id: string
  /** SHA-256 of the whole key, hexadecimal. */
  readonly hash: string
  /** Whose it is, for the audit. */
  readonly name: string
  readonly scopes: readonly string[]
  /** Null: of all tenants. */
  readonly tenant: string | null
  readonly createdAtMs: number
  readonly createdBy: string
  /** Null while it is valid. */
  readonly withdrawn: { readonly atMs: number; readonly by: string; readonly reason: string } | null
}

export type NewStoredKey = Pick<StoredKey, 'id' | 'hash' | 'name' | 'scopes' | 'tenant'>

/** Of a person in a browser. It stands for a key, and ends with it. */
export interface StoredSession {
  readonly keyId: string
  /** As the key's was when the session was opened: another key under the same id does not inherit it. */
  readonly keyHash: string
  readonly expiresAtMs: number
}

/** Valid keys at a time. */
export const storedKeysMax = 1_000
/** Withdrawn keys that are still listed. */
export const withdrawnKeysMax = 1_000

export interface AccessPort {
  /** The valid ones, the newest first; then those that were withdrawn, the last first. */
  storedKeys(): Promise<readonly StoredKey[]>
  /** With its audit row, in one transaction. False where there are `storedKeysMax`, or the id is taken. */
  storeKey(key: NewStoredKey, act: Act): Promise<boolean>
  /** With an audit row, in one transaction. Null where there is no valid one of this id. */
  withdrawKey(id: string, actor: string, reason: string): Promise<StoredKey | null>
  /** Sessions that have ended go, and the oldest of the key's beyond `sessionsMax`. Answers when it ends, in ms since 1970. */
  openSession(
    tokenHash: string,
    session: Pick<StoredSession, 'keyId' | 'keyHash'>,
    limits: { readonly lifeMs: number; readonly sessionsMax: number },
  ): Promise<number>
  /** Null for one that has ended, or never was. */
  session(tokenHash: string): Promise<StoredSession | null>
  closeSession(tokenHash: string): Promise<void>
}
