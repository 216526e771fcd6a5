// What personal data need of a store: a key for each person, which can be destroyed and not brought back.
import type { Act } from '../append/port.js'
import type { StoredEvent } from '../event/stored.js'

export interface PersonalKey {
  readonly id: string
  readonly tenant: string
  readonly person: string
  /** The key, enciphered by a key that the store does not have. Null once it is destroyed. */
  readonly wrapped: string | null
  /** Which of those: a fingerprint of it. */
  readonly wrappedBy: string
  readonly createdAtMs: number
  readonly erasedAtMs: number | null
}

export type NewPersonalKey = Pick<PersonalKey, 'id' | 'tenant' | 'person' | 'wrappedBy'> & {
  readonly wrapped: string
}

/** Keys of persons that one key enciphers which the store does not have. */
export interface MasterStanding {
  /** A fingerprint of that key. */
  readonly wrappedBy: string
  /** Of those that are not destroyed; counted up to `masterKeysMax`. */
  readonly keys: number
}

/** Keys of persons that are counted for one master. */
export const masterKeysMax = 100_000

export interface PersonalPort {
  /** The key of a person; `made` where there is none, or none that is not destroyed. Null where it would be made, and others are
   *  enciphered by a key that is not one of `masters`: those who have that one would never open it. */
  personKey(made: NewPersonalKey, masters: readonly string[]): Promise<PersonalKey | null>
  /** By their ids; those that are unknown are left out. */
  personalKeys(ids: readonly string[]): Promise<readonly PersonalKey[]>
  /** All that a person ever had, the oldest first. */
  personKeys(tenant: string, person: string): Promise<readonly PersonalKey[]>
  /** Destroys the keys of a person, with the audit row, in one transaction. Answers how many; of none, nothing is written. */
  erasePerson(tenant: string, person: string, act: Act): Promise<number>
  /** Events that were sealed under one of these keys, in the order of the log, from behind `after` (a `seq`) on. */
  personEvents(
    tenant: string,
    keys: readonly string[],
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]>
  /** By fingerprint. Masters of destroyed keys alone are left out. */
  personalMasters(): Promise<readonly MasterStanding[]>
  /** Keys that another key than `wrappedBy` enciphers, by id, at most `limit`. */
  keysWrappedOtherwise(wrappedBy: string, limit: number): Promise<readonly PersonalKey[]>
  /** Enciphers them anew, those that are not destroyed meanwhile, with the audit row, in one transaction. */
  rewrapKeys(keys: readonly Pick<NewPersonalKey, 'id' | 'wrapped' | 'wrappedBy'>[], act: Act): Promise<void>
}
