// What a fault is: what is done to a system that runs, and what it may do to it.
import type { Stage } from '../crash/stage.js'
import type { LinkProxy } from './proxy.js'

/** What a scenario can lay hands on. */
export interface Ground {
  readonly stage: Stage
  /** The links of the workers. */
  readonly workers: readonly LinkProxy[]
  /** The link of the publisher. */
  readonly publisher: LinkProxy
  /** All of them. */
  readonly links: readonly LinkProxy[]
  /** 1 for the durations as they are written, less for quick runs. */
  readonly scale: number
  /** Waits `seconds`, scaled. */
  wait(seconds: number): Promise<void>
}

export interface Scenario {
  readonly name: string
  readonly what: string
  /** Part of the tests; the others take longer. */
  readonly quick: boolean
  /** Subscriptions must go on recording while it lasts. */
  readonly goesOn: boolean
  /** Added to the environment of the processes. */
  readonly environment?: NodeJS.ProcessEnv
  /** Takes the place of the server's folder. Answers undefined, with the reason, where that cannot be had. */
  readonly disk?: () => Disk
  /** Harms, waits, and heals. Answers what it met, in words; throws when it did not come about. */
  harm(ground: Ground): Promise<string>
}

export interface Disk {
  /** Why it cannot be had here. */
  readonly missing?: string
  /** Where the server keeps its data. */
  readonly data: string
  remove(): void
}
