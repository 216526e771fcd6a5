// The keys of persons, as one process knows them: for seconds, so that an erasure takes effect everywhere.
import { type Clock, EventspineError, microtasksThrough } from '../kernel/index.js'
import type { NewPersonalKey, PersonalKey, PersonalPort } from './port.js'
import { type MasterKey, type SealingKey, sealingKeyOf, unwrap } from './seal.js'

/** So long a key is known without asking; an erasure waits for it. */
export const keyCacheMs = 5_000
const knownMax = 10_000
/** Deliveries that lack a key are tried again: somebody may be mending it. */
const mendedMs = 5_000
const askedMax = 1_000

type Known = SealingKey | null

export interface PersonalKeysServices {
  readonly clock: Clock
  readonly masterKeys: readonly MasterKey[]
  port(tenant: string): PersonalPort
}

interface Remembered<Value> {
  readonly value: Value
  readonly untilMs: number
}

export class PersonalKeys {
  readonly #services: PersonalKeysServices
  #byId = new Map<string, Remembered<Known>>()
  #byPerson = new Map<string, Remembered<Promise<SealingKey>>>()
  /** Of what is known: what was asked before an erasure is not remembered behind it. */
  #generation = 0
  /** Ids that are asked for with the next statement, by tenant. */
  readonly #asked = new Map<
    string,
    { readonly ids: Set<string>; readonly found: Promise<ReadonlyMap<string, Known>> }
  >()

  constructor(services: PersonalKeysServices) {
    this.#services = services
  }

  forget(): void {
    this.#generation++
    this.#byId = new Map()
    this.#byPerson = new Map()
  }

  /** The key of a person; what `make` answers where there is none. */
  async ofPerson(tenant: string, person: string, make: () => NewPersonalKey): Promise<SealingKey> {
    const name = JSON.stringify([tenant, person])
    const known = this.#fresh(this.#byPerson, name)
    if (known !== undefined) return await known
    const asked = this.#services
      .port(tenant)
      .personKey(make(), this.#masters)
      .then((key) => {
        if (key === null) throw this.#foreign('Keys of persons here are', 'UNAVAILABLE')
        return this.#opened(key, 'UNAVAILABLE')
      })
    this.#remember(this.#byPerson, name, asked, this.#services.clock.monotonic())
    try {
      return await asked
    } catch (error) {
      this.#byPerson.delete(name)
      throw error
    }
  }

  /** Null for those that are destroyed; unknown ones are left out. */
  async byId(tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, Known>> {
    const found = new Map<string, Known>()
    for (const id of ids) {
      const known = this.#fresh(this.#byId, id)
      if (known !== undefined) found.set(id, known)
    }
    const missing = ids.filter((id) => !found.has(id))
    if (missing.length === 0) return found
    const asked = await this.#ask(tenant, missing)
    for (const id of missing) {
      const key = asked.get(id)
      if (key !== undefined) found.set(id, key)
    }
    return found
  }

  // Deliveries of one moment ask together.
  async #ask(tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, Known>> {
    let asked = this.#asked.get(tenant)
    if (asked === undefined || asked.ids.size + ids.length > askedMax) {
      const together = new Set<string>()
      asked = { ids: together, found: Promise.resolve().then(() => this.#load(tenant, together)) }
      this.#asked.set(tenant, asked)
    }
    for (const id of ids) asked.ids.add(id)
    return await asked.found
  }

  async #load(tenant: string, ids: Set<string>): Promise<ReadonlyMap<string, Known>> {
    await microtasksThrough()
    if (this.#asked.get(tenant)?.ids === ids) this.#asked.delete(tenant)
    const [generation, askedAt] = [this.#generation, this.#services.clock.monotonic()]
    const keys = await this.#services.port(tenant).personalKeys([...ids])
    const found = new Map<string, Known>()
    // One of another tenant opens nothing here.
    for (const key of keys)
      if (key.tenant === tenant) found.set(key.id, key.wrapped === null ? null : this.#opened(key))
    if (generation === this.#generation)
      for (const [id, key] of found) this.#remember(this.#byId, id, key, askedAt)
    return found
  }

  #opened(key: PersonalKey, code?: 'UNAVAILABLE'): SealingKey {
    return sealingKeyOf(key.id, this.unwrapped(key, code))
  }

  /** Throws where none of the keys that this process was given opens it. */
  unwrapped(
    { id, wrapped, wrappedBy }: PersonalKey,
    code: 'APP_INVALID' | 'UNAVAILABLE' = 'APP_INVALID',
  ): Uint8Array {
    const { masterKeys } = this.#services
    const master = masterKeys.find(({ fingerprint }) => fingerprint === wrappedBy)
    const key = master === undefined || wrapped === null ? undefined : unwrap(master, id, wrapped)
    if (key !== undefined) return key
    throw this.#foreign('The key of a person is', code, ` (${wrappedBy})`)
  }

  get #masters(): readonly string[] {
    return this.#services.masterKeys.map(({ fingerprint }) => fingerprint)
  }

  #foreign(what: string, code: 'APP_INVALID' | 'UNAVAILABLE', which = ''): EventspineError {
    return new EventspineError(
      code,
      `${what} enciphered by another key${which} than this process has (${this.#masters.join(', ') || 'none'}). Set EVENTSPINE_PERSONAL_KEY to the one that was used, or to both with a comma between them, the new one first.`,
      { retryAfterMs: mendedMs },
    )
  }

  #fresh<Value>(known: ReadonlyMap<string, Remembered<Value>>, name: string): Value | undefined {
    const found = known.get(name)
    return found !== undefined && found.untilMs > this.#services.clock.monotonic() ? found.value : undefined
  }

  // From when it was asked for: a slow answer is no younger than its question.
  #remember<Value>(known: Map<string, Remembered<Value>>, name: string, value: Value, askedAt: number): void {
    // The oldest goes: a Map keeps the order in which they came.
    if (known.size >= knownMax) known.delete(known.keys().next().value as string)
    known.delete(name)
    known.set(name, { value, untilMs: askedAt + keyCacheMs })
  }
}
