// What a question asks of a system, ours or a peer: publish, handle, stop. Everything else is the system's own business.
import type { Ledger } from '../core/ledger.js'
import type { Payload } from '../core/payload.js'

export const systemNames = ['eventspine', 'graphile-worker', 'pg-boss', 'bullmq'] as const
/** `raw` is no system: bare statements that fill a table like ours, the limit to be measured against. */
export type SystemName = (typeof systemNames)[number] | 'raw'

export interface Place {
  readonly databaseUrl: string
  readonly redisPort: number | null
}

/** The part that this process plays. */
export interface Part {
  readonly publishes: boolean
  readonly works: boolean
  /** Each event is handled by so many; a queue needs a job for each. */
  readonly subscriptions: number
  /** The handler writes one row of each event in a transaction of its own, ours in the one that also records the delivery: by a
   *  statement for each, or by one for all that it is given. */
  readonly transactional: false | 'each' | 'many'
  /** What the handler waits for before it is done, as one that calls the world does. */
  readonly handlerMs: number
  /** Handlers that this process runs at once; null for the best setting of the system. */
  readonly handlersMax: number | null
  /** Parts that the work of a subscription is cut into, for several workers. */
  readonly shards: number
}

export interface Session {
  /** Resolves when all of them are as durable as the system makes them. */
  publish(payloads: readonly Payload[]): Promise<void>
  /** Lets running handlers end and gives everything back. */
  stop(): Promise<void>
}

export interface System {
  /** Makes its tables. Called once per run, before any part of it is opened. */
  prepare(place: Place, part: Part): Promise<void>
  /** Opens the part; with `works`, resolves when it handles. */
  open(place: Place, part: Part, ledger: Ledger): Promise<Session>
}

/** Written once by each transactional handler. */
export const insertWritten = 'INSERT INTO public.written (n) VALUES ($1)'
export const insertAllWritten = 'INSERT INTO public.written (n) SELECT unnest($1::bigint[])'

/** The name of the queue, task or subscription with this number. */
export const handlerName = (subscription: number) => `handler-${subscription}`
