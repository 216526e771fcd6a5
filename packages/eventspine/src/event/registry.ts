// The event definitions of an app: which one an incoming event belongs to, and how a stored one is read back.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { closest, EventspineError } from '../kernel/index.js'
import type { AnyEventDefinition } from './definition.js'

export type Decoded =
  | {
      readonly ok: true
      readonly data: unknown
      /** Frozen through and through: all handlers may have the same. */
      readonly shareable: boolean
    }
  | { readonly ok: false; readonly message: string; readonly newer: boolean }

export interface Issue {
  readonly field: string
  readonly message: string
}

/** As much of an unknown type is repeated to whoever sent it. */
const typeCharactersMax = 200
/** So many faults of one event are told, and so much of each: a body can have one for every few bytes. */
export const issuesMax = 100
const issueCharactersMax = 1_000

export class EventRegistry {
  readonly #versions = new Map<string, Map<number, AnyEventDefinition>>()
  readonly #newest = new Map<string, AnyEventDefinition>()

  constructor(readonly definitions: readonly AnyEventDefinition[]) {
    for (const definition of definitions) {
      const versions = this.#versions.get(definition.type) ?? new Map<number, AnyEventDefinition>()
      versions.set(definition.version, definition)
      this.#versions.set(definition.type, versions)
      const newest = this.#newest.get(definition.type)
      if (newest === undefined || newest.version < definition.version)
        this.#newest.set(definition.type, definition)
    }
  }

  newest(type: string): AnyEventDefinition | undefined {
    return this.#newest.get(type)
  }

  /** The definition for an incoming event. Throws EVENT_UNKNOWN naming what is known instead. */
  find(type: string, version?: number): AnyEventDefinition {
    const versions = this.#versions.get(type)
    if (typeof type !== 'string')
      throw new EventspineError('EVENT_UNKNOWN', `The type of an event is a text, and not ${typeof type}.`, {
        field: '/type',
      })
    if (versions === undefined) {
      const near = closest(type, this.#versions.keys())
      const hint = near === undefined ? 'Add its definition to the app.' : `Did you mean "${near}"?`
      throw new EventspineError(
        'EVENT_UNKNOWN',
        `No event of type "${type.slice(0, typeCharactersMax)}" is defined in this app. ${hint}`,
        { field: '/type' },
      )
    }
    const found = version === undefined ? this.#newest.get(type) : versions.get(version)
    if (found !== undefined) return found
    const read = this.#newest.get(type)?.upcast[version as number] !== undefined
    const hint = read
      ? ` Stored ones of version ${version} are read through the upcaster; to take new ones, list its definition in the app's events, too.`
      : ''
    throw new EventspineError(
      'EVENT_UNKNOWN',
      `Event "${type}" has no version ${version}. Defined: ${[...versions.keys()].sort((a, b) => a - b).join(', ')}.${hint}`,
      { field: '/version' },
    )
  }

  /** What the upcasters make of data of an older version, unchecked; undefined where they do not take it. */
  carried(type: string, version: number, data: unknown): unknown {
    const newest = this.#newest.get(type)
    if (newest === undefined || version >= newest.version) return undefined
    try {
      return upcast([newest], version, newest.version, data)
    } catch {
      return undefined
    }
  }

  /**
   * Stored JSON of any known version as the newest version's data, through the upcasters and the schema. Frozen.
   * @param read an older version to read it as, through the downcasters of the newest
   */
  decode(type: string, version: number, json: string, read?: AnyEventDefinition): Decoded | Promise<Decoded> {
    const newest = this.#newest.get(type)
    if (newest === undefined) return frozen(JSON.parse(json))
    if (version > newest.version) {
      return {
        ok: false,
        newer: true,
        message: `Event "${type}" version ${version} is newer than version ${newest.version}, the newest that this app defines. It waits for a process that knows it: deploy its definition.`,
      }
    }
    const definition = read ?? newest
    const data: unknown = JSON.parse(json)
    let current: unknown
    try {
      current =
        version > definition.version
          ? downcast(newest, version, definition.version, data)
          : upcast([definition, newest], version, definition.version, data)
    } catch (error) {
      const way = version > definition.version ? 'Downcasting' : 'Upcasting'
      return unfit(`${way} "${type}" from version ${version} failed: ${messageOf(error)}`)
    }
    const threw = (error: unknown) =>
      unfit(
        `The schema of "${type}" version ${definition.version} threw "${messageOf(error)}" instead of answering, on data stored as version ${version}. Mend the schema (a refine or transform in it), deploy and redrive.`,
      )
    const judged = (result: Awaited<ReturnType<typeof validate>>) => {
      if (result.issues === undefined) return frozen(result.value)
      const [first] = issuesOf(result.issues)
      const fault = `does not fit its schema at ${first?.field || '/'}: ${first?.message}`
      return unfit(
        version === definition.version
          ? `Stored "${type}" version ${version} ${fault}. Was the schema changed without a new version?`
          : `"${type}" version ${version}, ${version < definition.version ? 'upcast' : 'downcast'} to version ${definition.version}, ${fault}. Mend the data, or the ${version < definition.version ? 'upcaster' : 'downcaster'}.`,
      )
    }
    try {
      const checked = validate(definition, current)
      return checked instanceof Promise ? checked.then(judged, threw) : judged(checked)
    } catch (error) {
      return threw(error)
    }
  }
}

const unfit = (message: string): Decoded => ({ ok: false, newer: false, message })

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** Runs the schema. A promise only when the schema is asynchronous: most are not, and a tick of delay costs order. */
export function validate(definition: AnyEventDefinition, data: unknown) {
  return definition.schema['~standard'].validate(data)
}

/** The first of a schema's issues, with JSON Pointers below `prefix`. */
export function issuesOf(issues: readonly StandardSchemaV1.Issue[], prefix = ''): Issue[] {
  return issues.slice(0, issuesMax).map((issue) => ({
    field: prefix + pointer(issue.path ?? []).slice(0, issueCharactersMax),
    message: issue.message.slice(0, issueCharactersMax),
  }))
}

function pointer(path: NonNullable<StandardSchemaV1.Issue['path']>): string {
  return path
    .map((part) => String(typeof part === 'object' ? part.key : part))
    .map((part) => `/${pointerPart(part)}`)
    .join('')
}

/** A name as a part of a JSON Pointer (RFC 6901). */
export const pointerPart = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')

function downcast(definition: AnyEventDefinition, from: number, to: number, data: unknown): unknown {
  let current = data
  for (let version = from; version > to; version--) {
    const step = definition.downcast[version]
    if (step === undefined) throw new Error(`no downcaster from version ${version} to ${version - 1}`)
    current = step(current as never)
  }
  return current
}

function upcast(
  definitions: readonly AnyEventDefinition[],
  from: number,
  to: number,
  data: unknown,
): unknown {
  let current = data
  for (let version = from; version < to; version++) {
    const step = definitions.find((each) => each.upcast[version] !== undefined)?.upcast[version]
    if (step === undefined)
      throw new Error(
        `no upcaster from version ${version} to ${version + 1}; add "upcast: { ${version}: (old) => … }" to the definition`,
      )
    current = step(current as never)
  }
  return current
}

/** Deeply frozen: an event is shared by all its handlers, and one that changed it would change it for the others. A
 *  Date, a Map and other objects with insides of their own cannot be frozen: each handler is given its own. */
function frozen(data: unknown): Decoded {
  const pending: unknown[] = [data]
  let shareable = true
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null || Object.isFrozen(next)) continue
    const prototype = Object.getPrototypeOf(next)
    if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null)
      shareable = false
    else Object.freeze(next)
    pending.push(...Object.values(next))
  }
  return { ok: true, data, shareable }
}
