// A workflow: a durable process written as plain control flow. What its steps answered is recorded and never asked
// again; the code between them may run again, and must then take the same way.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyEventDefinition, EventOf } from '../event/definition.js'
import type { RetryPolicy } from '../handle/index.js'
import { checkOptions } from '../kernel/index.js'
import type { WorkflowContext } from './context.js'

/** Starts an instance for each event of a type. */
export interface WorkflowTrigger {
  readonly event: AnyEventDefinition
  /** Which instance: two events with one id start it once. */
  readonly id: (event: never) => string
  /** What the instance is given. Default: the event's data. */
  readonly input: ((event: never) => unknown) | undefined
  readonly start: Start
}

/** As of a subscription. */
type Start = 'beginning' | 'now' | Date

export interface Workflow<Input = unknown, Output = unknown> {
  readonly kind: 'workflow'
  readonly name: string
  readonly version: number
  readonly input: StandardSchemaV1<unknown, Input> | undefined
  readonly on: WorkflowTrigger | undefined
  readonly waitsFor: readonly AnyEventDefinition[]
  readonly run: (ctx: WorkflowContext, input: Input) => Promise<Output>
  readonly deadlineMs: number
  readonly overdue: 'alarm' | 'cancel'
  readonly retry: RetryPolicy | undefined
  readonly concurrency: number
  readonly shards: number
  readonly priority: 'alarm' | 'normal'
  readonly description: string | undefined
}

export interface WorkflowOptions<Input, Output, Trigger extends AnyEventDefinition> {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** Positive integer. Default 1. Raise it when a change would lead running instances along another way, and list the
   *  old version in the app until they have ended. */
  readonly version?: number
  /** Any Standard Schema (zod, valibot, arktype …). Checked before an instance is stored. */
  readonly input?: StandardSchemaV1<unknown, Input>
  /** Starts an instance for each such event, under the id that it gives. */
  readonly on?: {
    readonly event: Trigger
    readonly id: (event: EventOf<Trigger>) => string
    readonly input?: (event: EventOf<Trigger>) => Input
    /** Which events start it when a worker that lists it is first seen: those from then on (`now`, the default), all that the log
     *  still holds, or those since a moment. */
    readonly start?: Start
  }
  /** Events that its code asks for by `ctx.waitFor`. */
  readonly waitsFor?: readonly AnyEventDefinition[]
  readonly run: (ctx: WorkflowContext, input: Input) => Promise<Output>
  /** From its start to its end. An instance that is not through by then raises an alarm. Default 7 days. */
  readonly deadlineMs?: number
  /** What else happens then: nothing (default), or it is cancelled, which compensates what it did. */
  readonly overdue?: 'alarm' | 'cancel'
  /** For steps that name none. Default `retries.standard()`. */
  readonly retry?: RetryPolicy
  /** Instances that run at once over all workers; those that wait are not counted. Default 200. */
  readonly concurrency?: number
  /** Parts that workers share out among themselves. Fixed when it is first seen. Default 1. */
  readonly shards?: number
  /** As of a subscription: alarms have capacity of their own and short leases, and what moves them on has a line of its own into
   *  the log. Of several versions the newest says. Default `normal`. */
  readonly priority?: 'alarm' | 'normal'
  readonly description?: string
}

const optionNames: Readonly<Record<keyof WorkflowOptions<never, never, AnyEventDefinition>, true>> = {
  name: true,
  version: true,
  input: true,
  on: true,
  waitsFor: true,
  run: true,
  deadlineMs: true,
  overdue: true,
  retry: true,
  concurrency: true,
  shards: true,
  priority: true,
  description: true,
}

const triggerNames = { name: true, event: true, id: true, input: true, start: true } as const

const deadlineMsDefault = 7 * 86_400_000
const concurrencyDefault = 200

/** Started by an event, it is given its data. */
type StartedByEvent<Trigger extends AnyEventDefinition, Output> = Omit<
  WorkflowOptions<EventOf<Trigger>['data'], Output, Trigger>,
  'input' | 'on'
> & {
  readonly input?: undefined
  readonly on: {
    readonly event: Trigger
    readonly id: (event: EventOf<Trigger>) => string
    readonly input?: undefined
    readonly start?: Start
  }
}

export function workflow<Trigger extends AnyEventDefinition, Output = unknown>(
  options: StartedByEvent<Trigger, Output>,
): Workflow<EventOf<Trigger>['data'], Output>
export function workflow<Input = unknown, Output = unknown, Trigger extends AnyEventDefinition = never>(
  options: WorkflowOptions<Input, Output, Trigger>,
): Workflow<Input, Output>
export function workflow(given: object): unknown {
  const options = given as WorkflowOptions<never, never, AnyEventDefinition>
  checkOptions('workflow', options, optionNames)
  const { on } = options
  if (typeof on === 'object') checkOptions('workflow', { name: options.name, ...on }, triggerNames)
  return Object.freeze({
    kind: 'workflow',
    name: options.name,
    version: options.version ?? 1,
    input: options.input,
    on:
      on === undefined
        ? undefined
        : Object.freeze({ event: on.event, id: on.id, input: on.input, start: on.start ?? 'now' }),
    waitsFor: options.waitsFor ?? [],
    run: options.run,
    deadlineMs: options.deadlineMs ?? deadlineMsDefault,
    overdue: options.overdue ?? 'alarm',
    retry: options.retry,
    concurrency: options.concurrency ?? concurrencyDefault,
    shards: options.shards ?? 1,
    priority: options.priority ?? 'normal',
    description: options.description,
  })
}

// `never` in the parameters lets one array hold workflows of different input.
export type AnyWorkflow = Omit<Workflow, 'run' | 'input'> & {
  readonly run: (ctx: WorkflowContext, input: never) => Promise<unknown>
  readonly input: StandardSchemaV1 | undefined
}

export type WorkflowInput<Definition> =
  Definition extends Workflow<infer Input, infer _Output> ? Input : unknown
export type WorkflowOutput<Definition> =
  Definition extends Workflow<infer _Input, infer Output> ? Output : unknown

/** What its input must fit: its own schema, or that of the event whose data it is. */
export const inputSchemaOf = ({
  input,
  on,
}: Pick<AnyWorkflow, 'input' | 'on'>): StandardSchemaV1 | undefined =>
  input ?? (on === undefined || on.input !== undefined ? undefined : on.event.schema)
