// Personal data of an app's events: sealed on their way into the log, opened on their way to handlers, and gone once a
// person is erased. The database has the keys of persons, enciphered; what opens them it never has.
import { randomBytes } from 'node:crypto'
import { type AnyEventDefinition, fingerprintOf, type SealedEvent, type Sealing } from '../event/index.js'
import type { NewEvent, StoredEvent } from '../event/stored.js'
import { type Clock, EventspineError, type Random, uuidv7 } from '../kernel/index.js'
import {
  changed,
  changedTexts,
  fits,
  keyBytes,
  keyCacheMs,
  leavesOf,
  looksSealed,
  type MasterKey,
  misfit,
  openedData,
  PersonalKeys,
  type SealingKey,
  seal,
  wrap,
} from '../personal/index.js'
import { checkName, checkReason } from '../redrive/index.js'
import type { App } from './app.js'
import type { Cell } from './cell.js'

export interface ErasureOptions {
  /** Who asks, for the audit. */
  readonly actor: string
  readonly reason?: string
  /** Default: the app's. */
  readonly tenant?: string
}

/** An event about a person, as it was published. */
export interface PersonalEvent {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly source: string
  readonly time: string
  readonly subject: string | null
  readonly key: string | null
  readonly data: unknown
}

export interface PersonalServices {
  readonly app: Pick<App, 'registry'>
  readonly clock: Clock
  readonly random: Random
  readonly tenant: string
  /** The first enciphers new keys; the others open what they enciphered before. */
  readonly masterKeys: readonly MasterKey[]
  /** Handlers run in this process: they need the keys. */
  readonly work: boolean
  cellOf(tenant: string): Cell
}

const personMax = 250
const exportPage = 500
const rewrapPage = 500
/** The extension attribute that says under which key an event is sealed. */
const attribute = 'personalkey'

export class Personal implements Sealing {
  readonly #services: PersonalServices
  readonly #keys: PersonalKeys

  /** Throws APP_INVALID where the app needs a key and has none. */
  constructor(services: PersonalServices) {
    this.#services = services
    const { app, work, masterKeys } = services
    const definition = app.registry.definitions.find(({ personal }) => personal !== undefined)
    if (work && definition !== undefined && masterKeys.length === 0) throw keyless(definition.type)
    this.#keys = new PersonalKeys({
      ...{ clock: services.clock, masterKeys: services.masterKeys },
      port: (tenant) => services.cellOf(tenant).store,
    })
  }

  /**
   * Destroys the key of a person, with its audit row. When it resolves, no process shows what was sealed by it any more: that
   * takes 5 s. False where there was none. Copies that handlers made are theirs.
   */
  async erase(
    person: string,
    { actor, reason, tenant = this.#services.tenant }: ErasureOptions,
  ): Promise<boolean> {
    checkName('person', person)
    checkName('actor', actor)
    checkReason(reason)
    const { clock, cellOf } = this.#services
    const act = { actor, action: 'person.erase', target: person, details: { tenant, reason: reason ?? null } }
    const erased = await cellOf(tenant).store.erasePerson(tenant, person, act)
    this.#keys.forget()
    // Other processes know a key for so long.
    if (erased > 0) await clock.sleep(keyCacheMs)
    return erased > 0
  }

  /** What the log has of a person, the oldest first, opened. Throws NOT_FOUND where it never knew them. */
  async *export(
    person: string,
    { tenant = this.#services.tenant }: { readonly tenant?: string } = {},
  ): AsyncGenerator<PersonalEvent> {
    checkName('person', person)
    const cell = this.#services.cellOf(tenant)
    const keys = (await cell.store.personKeys(tenant, person)).map(({ id }) => id)
    if (keys.length === 0)
      throw new EventspineError(
        'NOT_FOUND',
        `No event of tenant "${tenant}" holds personal data of "${person}".`,
        {
          field: '/person',
        },
      )
    for (let after = 0; ; ) {
      const events = await cell.store.personEvents(tenant, keys, after, exportPage)
      for (const event of events) yield await this.#exported(cell, event)
      if (events.length < exportPage) return
      after = (events.at(-1) as StoredEvent).seq
    }
  }

  async #exported(cell: Cell, event: StoredEvent): Promise<PersonalEvent> {
    const { id, type, version, source, subject, key, timeMs } = event
    const body = await this.open(event, await cell.runner.body(event))
    const time = new Date(timeMs).toISOString()
    return { id, type, version, source, time, subject, key, data: JSON.parse(body) }
  }

  /** Enciphers the keys of all persons of a cell by the first of `personalKeys`, so that the others can go. Answers how many. */
  async rewrap({ actor, reason, tenant = this.#services.tenant }: ErasureOptions): Promise<number> {
    checkName('actor', actor)
    const why = checkReason(reason) ?? null
    const { store } = this.#services.cellOf(tenant)
    const master = this.#master('any event')
    for (let count = 0; ; ) {
      const keys = await store.keysWrappedOtherwise(master.fingerprint, rewrapPage)
      const anew = keys.map((key) => ({
        id: key.id,
        wrapped: wrap(master, key.id, this.#keys.unwrapped(key)),
        wrappedBy: master.fingerprint,
      }))
      const details = { keys: anew.length, reason: why }
      const act = { actor, action: 'person.rewrap', target: master.fingerprint, details }
      if (anew.length > 0) await store.rewrapKeys(anew, act)
      count += keys.length
      if (keys.length < rewrapPage) return count
    }
  }

  #master(type: string): MasterKey {
    const [master] = this.#services.masterKeys
    if (master === undefined) throw keyless(type, 'UNAVAILABLE')
    return master
  }

  /** A complete event, with what is personal of it enciphered. Throws EVENT_INVALID and APP_INVALID. */
  async seal(definition: AnyEventDefinition, event: NewEvent, output: unknown): Promise<NewEvent> {
    const judged = await this.#judged(definition, event, output)
    if (judged === undefined) return event
    const { type } = definition
    const { data, paths, person } = judged
    const key = await this.#sealingKey(type, event.tenant, person)
    const place = placeOf(event)
    const sealed = changed(data, paths, (value, path) => seal(key, place(path), JSON.stringify(value)))
    const extensions = { ...(JSON.parse(event.extensions ?? '{}') as object), [attribute]: key.id }
    const made = { ...event, data: JSON.stringify(sealed), extensions: JSON.stringify(extensions) }
    if (event.fingerprint === null) return made
    // Of what is not hidden: a repeat behind an erasure, under another key, is still a repeat.
    const open = { ...event, data: JSON.stringify(changed(data, paths, () => null)) }
    return { ...made, fingerprint: fingerprintOf(open) }
  }

  async judge(definition: AnyEventDefinition, event: NewEvent, output: unknown): Promise<NewEvent> {
    await this.#judged(definition, event, output)
    return event
  }

  /** What is to be hidden, and of whom; undefined for nothing. Throws EVENT_INVALID. */
  async #judged(definition: AnyEventDefinition, event: NewEvent, output: unknown) {
    const { personal, type } = definition
    if (personal === undefined) return undefined
    const paths = Object.keys(personal.fields)
    const data: unknown = JSON.parse(event.data ?? 'null')
    for (const path of paths) {
      const stuck = misfit(data, path)
      if (stuck !== undefined)
        throw new EventspineError(
          'EVENT_INVALID',
          `The path "${path}" of personal.fields does not fit the data of "${type}" at ${stuck}: nothing would be hidden there. Write "*" for the elements of a list, and a path for each shape.`,
          { field: '/data' },
        )
    }
    const hidden: string[] = []
    let some = false
    changed(data, paths, (value) => {
      some = true
      hidden.push(...leavesOf(value))
    })
    if (!some) return undefined
    const person = personOf(type, () => personal.person(output as never))
    for (const [name, value] of [
      ['key', event.key],
      ['subject', event.subject],
      ['person', person],
    ] as const)
      if (value !== null && hidden.includes(value.toLowerCase()))
        throw new EventspineError(
          'EVENT_INVALID',
          `The ${name} of "${type}" is what "personal" hides of its data. Take one that says nothing by itself, such as the person's id.`,
          { field: name === 'person' ? '/data' : `/${name}` },
        )
    await checkErased(
      definition,
      changed(data, paths, (_, at) => erasedAt(personal, at)),
    )
    return { data, paths, person }
  }

  async #sealingKey(type: string, tenant: string, person: string): Promise<SealingKey> {
    const { clock, random } = this.#services
    const master = this.#master(type)
    return await this.#keys.ofPerson(tenant, person, () => {
      const id = uuidv7(clock, random)
      const bytes = randomBytes(keyBytes)
      const wrapped = wrap(master, id, bytes)
      return { id, tenant, person, wrapped, wrappedBy: master.fingerprint }
    })
  }

  // Of a version that the app knows by its upcaster alone: what stands there is said for where the upcaster carries it.
  #erasedBefore(type: string, version: number, body: string, at: string): unknown {
    const { registry } = this.#services.app
    const { definitions } = registry
    const newest = definitions.filter((each) => each.type === type).sort((a, b) => b.version - a.version)[0]
    const marked = changedTexts(JSON.parse(body), (text, place) => (place === at ? carriedMark : text))
    const places: string[] = []
    changedTexts(registry.carried(type, version, marked), (text, place) => {
      if (text === carriedMark) places.push(place)
    })
    return erasedAt(newest?.personal, places[0] ?? at)
  }

  isSealed(body: string): boolean {
    return looksSealed(body)
  }

  /** The body of an event as it was published; what was sealed by a key that is destroyed, as its definition says. */
  async open(event: SealedEvent, body: string): Promise<string> {
    const { tenant, type, version } = event
    const { definitions } = this.#services.app.registry
    const own = definitions.filter((each) => each.type === type)
    const personal = own.find((each) => each.version === version)?.personal
    const ownKey = keyNamedBy(event)
    const paths = Object.keys(personal?.fields ?? {})
    const erased = (at: string) =>
      personal === undefined ? this.#erasedBefore(type, version, body, at) : erasedAt(personal, at)
    return await openedData(body, {
      place: placeOf(event),
      keys: (ids) => this.#keys.byId(tenant, ids),
      // A text that somebody copied from another event stays a text. Where something is hidden, publishing sealed it, and an
      // edit of a dead letter, which may have done so by another key than the event names.
      belongs: (at, key) => key === ownKey || paths.some((path) => fits(path, at)),
      erased,
    })
  }
}

const carriedMark = '[erased: where is it carried to?]'

/** What stands at a place once its person is erased. */
function erasedAt(personal: AnyEventDefinition['personal'], at: string): unknown {
  const path = Object.keys(personal?.fields ?? {}).find((each) => fits(each, at))
  return path === undefined ? '[erased]' : personal?.fields[path]
}

const checkedOnce = new WeakSet<AnyEventDefinition>()

// Found out when a person is erased it would be too late: handlers would see none of their events any more. Of each
// definition its first event tells.
async function checkErased(definition: AnyEventDefinition, erased: unknown): Promise<void> {
  if (checkedOnce.has(definition)) return
  const { issues } = await definition.schema['~standard'].validate(erased)
  if (issues !== undefined)
    throw new EventspineError(
      'APP_INVALID',
      `Once its person is erased, "${definition.type}" version ${definition.version} would not fit its own schema: ${issues[0]?.message}. Change what personal.fields puts there, or have the schema take it.`,
      { field: '/personal/fields' },
    )
  checkedOnce.add(definition)
}

// Of one event alone: moved into another, a text opens for nobody.
const placeOf =
  ({ tenant, source, id, type, version }: Omit<SealedEvent, 'extensions'>) =>
  (path: string) =>
    JSON.stringify([tenant, source, id, type, version, path])

/** The key that an event was sealed by when it was published; undefined where it was not. */
const keyNamedBy = ({ extensions }: SealedEvent): unknown =>
  extensions === null ? undefined : (JSON.parse(extensions) as Record<string, unknown>)[attribute]

function personOf(type: string, ask: () => unknown): string {
  let person: unknown
  try {
    person = ask()
  } catch (error) {
    throw personless(type, error instanceof Error ? error.message : String(error))
  }
  if (
    typeof person === 'string' &&
    person !== '' &&
    person.length <= personMax &&
    person.isWellFormed() &&
    !/\p{Cc}/u.test(person)
  )
    return person
  throw personless(type, `it must be a text of 1 to ${personMax} characters`)
}

const personless = (type: string, why: string) =>
  new EventspineError(
    'EVENT_INVALID',
    `The person that "${type}" is about could not be taken from its data: ${why}.`,
    {
      field: '/data',
    },
  )

/** To whoever publishes it passes: nothing is wrong with what is published, and no message of a source may be kept for it. */
const keyless = (type: string, code: 'APP_INVALID' | 'UNAVAILABLE' = 'APP_INVALID') =>
  new EventspineError(
    code,
    `"${type}" has personal data, and there is no key to encipher them. Set EVENTSPINE_PERSONAL_KEY to 32 random bytes in base64 (openssl rand -base64 32), the same for all processes, and keep it where no backup of the database lies.`,
    code === 'APP_INVALID' ? {} : { retryAfterMs: 5_000 },
  )
