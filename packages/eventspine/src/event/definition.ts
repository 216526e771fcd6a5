// One value per event: its type, version, schema, key and the way up from older versions.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkOptions } from '../kernel/index.js'
import type { Event } from './event.js'

/** Turns the data of version n into the data of version n + 1. */
export type Upcaster = (data: never) => unknown

/** Turns the data of version n into the data of version n - 1. */
export type Downcaster = (data: never) => unknown

/**
 * What of an event's data says something about a person. It lies in the log enciphered by a key of that person; once the key
 * is destroyed (`spine.personal.erase`), handlers see `fields`' values in its place.
 */
export interface Personal<Output = never> {
  /** Who it is about: an id that says nothing by itself, at most 250 characters. */
  readonly person: (data: Output) => string
  /**
   * `{ email: 'erased@invalid.example', 'address.street': '', 'contacts.*.phone': null }`: where they are in the data that is
   * published (`*` is every element or member), and what the schema is given once the person is erased.
   */
  readonly fields: Readonly<Record<string, unknown>>
}

export interface EventDefinition<Type extends string = string, Input = unknown, Output = unknown> {
  readonly kind: 'event'
  readonly type: Type
  readonly version: number
  readonly schema: StandardSchemaV1<Input, Output>
  readonly key: ((data: Output) => string) | undefined
  readonly subject: ((data: Output) => string) | undefined
  readonly upcast: Readonly<Record<number, Upcaster>>
  readonly downcast: Readonly<Record<number, Downcaster>>
  readonly personal: Personal<Output> | undefined
  readonly description: string | undefined
}

export interface EventOptions<Type extends string, Input, Output> {
  /** Reverse-domain or dotted name in the past tense, such as `orders.order-placed`. At most 200 characters. */
  readonly type: Type
  /** Positive integer. Default 1. Raise it when the schema changes. */
  readonly version?: number
  /** Any Standard Schema (zod, valibot, arktype …). */
  readonly schema: StandardSchemaV1<Input, Output>
  /** Ordering scope of the event, at most 500 characters. Without it the event is in no order. */
  readonly key?: (data: NoInfer<Output>) => string
  /** What the event is about: CloudEvents `subject`. */
  readonly subject?: (data: NoInfer<Output>) => string
  /** `{ 1: (v1) => v2, 2: (v2) => v3 }`: one step for each older version that the log may still hold. */
  readonly upcast?: Readonly<Record<number, Upcaster>>
  /** `{ 3: (v3) => v2, 2: (v2) => v1 }`: one step for each version that subscriptions of the app read by an older
   *  definition. Without it they read the newest. */
  readonly downcast?: Readonly<Record<number, Downcaster>>
  /** Needs EVENTSPINE_PERSONAL_KEY, or `personalKeys`. */
  readonly personal?: Personal<NoInfer<Output>>
  readonly description?: string
}

export const isType = (type: unknown) =>
  typeof type === 'string' && /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,199}$/.test(type)
export const typeRule =
  'a type is letters, digits, dots, dashes and underscores, at most 200, such as "orders.order-placed"'
export const isVersion = (version: number) =>
  Number.isInteger(version) && version >= 1 && version <= 1_000_000
export const versionRule = 'must be a whole number from 1 to 1,000,000'

const optionNames: Readonly<Record<keyof EventOptions<string, unknown, unknown>, true>> = {
  type: true,
  version: true,
  schema: true,
  key: true,
  subject: true,
  upcast: true,
  downcast: true,
  personal: true,
  description: true,
}

export function defineEvent<const Type extends string, Input, Output>(
  options: EventOptions<Type, Input, Output>,
): EventDefinition<Type, Input, Output> {
  checkOptions('defineEvent', options, optionNames)
  return Object.freeze({
    kind: 'event',
    type: options.type,
    version: options.version ?? 1,
    schema: options.schema,
    key: options.key,
    subject: options.subject,
    upcast: options.upcast ?? {},
    downcast: options.downcast ?? {},
    personal: options.personal,
    description: options.description,
  })
}

// `never` in the key's parameter lets one array hold definitions of different data.
export type AnyEventDefinition = Omit<
  EventDefinition<string, never, unknown>,
  'key' | 'subject' | 'schema' | 'personal'
> & {
  readonly key: ((data: never) => string) | undefined
  readonly subject: ((data: never) => string) | undefined
  readonly personal: Personal<never> | undefined
  readonly schema: StandardSchemaV1
}

type OutputOf<Definition> = Definition extends {
  readonly schema: StandardSchemaV1<infer _Input, infer Output>
}
  ? Output
  : unknown

/** What a publisher passes as data. */
export type InputOf<Definition> = Definition extends {
  readonly schema: StandardSchemaV1<infer Input, infer _Output>
}
  ? Input
  : unknown

/** What a handler receives for a definition, a pattern string, or an array of both. */
export type EventOf<On> = On extends readonly (infer Each)[]
  ? EventOf<Each>
  : On extends { readonly kind: 'event'; readonly type: infer Type extends string }
    ? Event<Type, OutputOf<On>>
    : Event
