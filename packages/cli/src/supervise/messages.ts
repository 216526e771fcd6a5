// What a supervised process and its supervisor tell each other over the channel between them.
import type { Failure } from '../failure.js'

/** It works: told once. */
export interface Ready {
  readonly kind: 'ready'
  readonly processId: number
  readonly app: string
  readonly subscriptions: readonly string[]
  readonly embedded: boolean
  /** Of the HTTP API, where it serves one. */
  readonly url: string | undefined
  /** Development key of the HTTP API. */
  readonly key: string | undefined
}

/** It could not start, and ends. */
export interface Refused {
  readonly kind: 'refused'
  readonly failure: Failure
}

/** It loaded a file of the app. */
export interface Loaded {
  readonly kind: 'loaded'
  readonly path: string
}

/** To the process: drain and end. */
export interface Stop {
  readonly kind: 'stop'
}

export const stop: Stop = { kind: 'stop' }

const kinds = new Set<unknown>(['ready', 'refused', 'loaded', 'stop'])

/** A message from the other side, or undefined: handlers may use the channel of their process for things of their own. */
export function messageOf(value: unknown): Ready | Refused | Loaded | Stop | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined
  return kinds.has(value.kind) ? (value as Ready | Refused | Loaded | Stop) : undefined
}

/** What is reported of a process that is ready. */
export const recordOf = ({ kind: _kind, ...facts }: Ready) => facts
