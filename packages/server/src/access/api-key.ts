// API keys: `es_` + id + `_` + secret. The server keeps the SHA-256 of a key and compares in constant time; the key
// itself is seen once, by the one who makes it. 256 random bits need no slow hash.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export const scopes = ['routes', 'publish', 'read', 'operate', 'admin'] as const

/** `routes`: the routes of the app that ask for no other scope, and so no event but those that they make of a request; `publish`: any event,
 *  and those routes; `read` everything that can be seen; `operate`: what an operator does and can do again or undo, such as
 *  pause, redrive, breakers; `admin`: API keys, and what cannot be undone, such as discard. People have `roles`. */
export type Scope = (typeof scopes)[number]

/** What is kept of a key. */
export interface ApiKey {
  /** 16 hexadecimal digits: the part of the key between its underscores. */
  readonly id: string
  /** SHA-256 of the whole key, hexadecimal. */
  readonly hash: string
  readonly scopes: readonly Scope[]
  /** Shown in the audit as who acted. Default: the id. */
  readonly name?: string
  /** The key sees and publishes the events of this tenant alone. */
  readonly tenant?: string
}

export interface ApiKeyOptions {
  readonly scopes: readonly Scope[]
  readonly name?: string
  readonly tenant?: string
}

const keyForm = /^es_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/
const idBytes = 8
const secretBytes = 32

/** Makes a key. `key` goes to its user and is not kept; `record` is what the server is given. */
export function createApiKey(options: ApiKeyOptions): { readonly key: string; readonly record: ApiKey } {
  const key = `es_${randomBytes(idBytes).toString('hex')}_${randomBytes(secretBytes).toString('base64url')}`
  return { key, record: apiKeyRecord(key, options) }
}

/** What the server keeps of an existing key. Throws a TypeError when it is none. */
export function apiKeyRecord(key: string, options: ApiKeyOptions): ApiKey {
  const id = keyForm.exec(key)?.[1]
  if (id === undefined)
    throw new TypeError('This is not an API key of Eventspine. Make one with createApiKey().')
  return { id, hash: hashOf(key).toString('hex'), ...options }
}

/** Whether it may be one, of whichever log. */
export const hasKeyForm = (presented: string): boolean => keyForm.test(presented)

/** The keys of one server: its own, and those that it shares with others. */
export class KeyRing {
  #given: readonly ApiKey[] = []
  #shared: readonly ApiKey[] = []
  #keys: ReadonlyMap<string, ApiKey> = new Map()

  constructor(keys: readonly ApiKey[]) {
    this.replace(keys)
  }

  get size(): number {
    return this.#keys.size
  }

  /** Those of this server alone. */
  get given(): readonly ApiKey[] {
    return this.#given
  }

  /** From the next request on, these of this server's own and no others. */
  replace(keys: readonly ApiKey[]): void {
    this.#given = keys
    this.#join()
  }

  /** From the next request on, these of the shared ones and no others. */
  share(keys: readonly ApiKey[]): void {
    this.#shared = keys
    this.#join()
  }

  // Of two with one id the server's own counts: nobody who writes the database alone takes its place.
  #join(): void {
    this.#keys = new Map([...this.#shared, ...this.#given].map((key) => [key.id, key]))
  }

  /** For what was opened with a key before. */
  byId(id: string): ApiKey | undefined {
    return this.#keys.get(id)
  }

  /** The record of a presented key, or undefined. */
  find(presented: string): ApiKey | undefined {
    const id = keyForm.exec(presented)?.[1]
    if (id === undefined) return undefined
    const record = this.#keys.get(id)
    // An unknown id costs the same comparison, so that time does not tell which ids exist.
    const expected = Buffer.from(record?.hash ?? unknownHash, 'hex')
    const actual = hashOf(presented)
    return expected.length === actual.length && timingSafeEqual(expected, actual) ? record : undefined
  }
}

const unknownHash = '0'.repeat(64)

const hashOf = (key: string) => createHash('sha256').update(key).digest()
