// What the bench asks of a process under measurement, over the channel between them.
import type { Part, Place, SystemName } from '../systems/system.js'
import type { Ran, Rounds } from '../workflows/rounds.js'
import type { WorkflowPlace, WorkflowSystemName } from '../workflows/system.js'
import type { Progress } from './ledger.js'
import type { Flood, Flooded, Pace, Paced } from './load.js'
import type { Percentiles } from './statistics.js'

export interface Task {
  readonly system: SystemName
  readonly place: Place
  readonly part: Part
}

export interface Usage {
  readonly atMs: number
  /** User and system time of the process so far. */
  readonly cpuMs: number
  readonly residentBytes: number
}

/** Name of a query and its median duration in milliseconds. */
export type QueryTimes = Readonly<Record<string, number>>

export interface WorkflowTask {
  readonly system: WorkflowSystemName
  readonly place: WorkflowPlace
}

export interface Methods {
  prepare(task: Task): Promise<void>
  open(task: Task): Promise<void>
  flood(flood: Flood): Promise<Flooded>
  pace(pace: Pace): Promise<Paced>
  progress(): Promise<Progress>
  latencies(): Promise<Percentiles>
  forget(): Promise<void>
  queries(options: { readonly repeats: number }): Promise<QueryTimes>
  usage(): Promise<Usage>
  openWorkflows(task: WorkflowTask): Promise<void>
  workflows(rounds: Rounds): Promise<Ran>
  sleepWorkflow(options: { readonly id: string }): Promise<void>
  close(): Promise<void>
}

export interface Ask {
  readonly id: number
  readonly method: keyof Methods
  readonly parameters: unknown
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
