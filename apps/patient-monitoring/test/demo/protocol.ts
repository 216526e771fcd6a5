// What the demonstration and its processes say to one another.
import type { Plan } from './stream.js'

export type Shape = 'today' | 'first'

/** What a worker is told, as its only argument. */
export interface WorkerOrders {
  readonly shape: Shape
  readonly databaseUrl: string
  readonly pushOrigin: string
  /** Of an MQTT broker; without it, devices of the worker's own broker. */
  readonly brokerUrl?: string
  /** What stands between a reading and a person begins now, and everything else with the first event of the log. */
  readonly recordsAreBehind: boolean
}

/** What the generator is told, as its only argument. */
export interface GeneratorOrders {
  readonly databaseUrl: string
  readonly plan: Plan
  /** Readings go to an MQTT broker; without it, to the log. */
  readonly brokerUrl?: string
}

export type FromWorker = { readonly kind: 'ready' }

export type FromGenerator =
  | { readonly kind: 'ready' }
  /** By Date.now of this machine: what is due `afterMs` is taken, and meant to be sent, so much later. */
  | { readonly kind: 'started'; readonly startMs: number }
  | { readonly kind: 'done'; readonly sent: Sent }

export interface Sent {
  readonly events: number
  readonly readings: number
  /** How much later than meant it was sent, whatever became of it then. */
  readonly lateMs99: number
  readonly lateMsMax: number
}

export type ToChild = { readonly kind: 'start' } | { readonly kind: 'stop' }
