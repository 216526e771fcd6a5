// What moves an instance on: events in the log under its id as key, so that each instance sees them one by one, in the
// order in which they were accepted.
import type { Event } from '../event/event.js'
import { type Cause, ownEvent, reservedPrefix } from '../event/index.js'
import type { NewEvent } from '../event/stored.js'
import type { Clock, Random } from '../kernel/index.js'
import type { InstanceName, Parent } from './port.js'
import type { Restart } from './restart.js'

export const stimulusKinds = [
  'started',
  'signalled',
  'woken',
  'occurred',
  'overdue',
  'child-ended',
  'cancelled',
] as const
export type StimulusKind = (typeof stimulusKinds)[number]

const typePrefix = `${reservedPrefix}workflow.`

export const typeOf = (workflow: string, kind: StimulusKind) => `${typePrefix}${workflow}.${kind}`

/** Of all that moves the instances of a workflow on. */
export const stimuliOf = (workflow: string) => `${typePrefix}${workflow}.*`

export const isStimulus = (type: string) => type.startsWith(typePrefix)

export function kindOf(type: string): StimulusKind {
  return type.slice(type.lastIndexOf('.') + 1) as StimulusKind
}

/** The workflow whose stimulus it is. */
export const workflowOf = (type: string) => type.slice(typePrefix.length, type.lastIndexOf('.'))

export interface StartData {
  readonly input: unknown
  readonly parent?: Parent
  readonly restart?: Restart
}

export interface SignalData {
  readonly name: string
  readonly payload: unknown
  /** Of a decision: the place of the question that it is for. Of two who decide at once, the second must not answer the next
   *  one. */
  readonly question?: string
  /** Nobody asked that any more. */
  readonly dropped?: true
}

export interface ChildData {
  readonly place: string
  readonly workflow: string
  readonly id: string
  readonly state: string
  readonly output?: unknown
  readonly failure?: unknown
}

export interface CancelData {
  readonly by: string
  readonly reason: string | null
  /** Who cancels its child. */
  readonly parent?: Parent
}

export const causeOf = ({ correlationId, id, traceparent }: Event): Cause => ({
  correlationId,
  causationId: id,
  traceparent,
})

const source = '/eventspine/workflows'

export function stimulus(
  { tenant, workflow, id }: InstanceName,
  kind: StimulusKind,
  data: object,
  cause: Cause | undefined,
  services: { readonly clock: Clock; readonly random: Random },
): NewEvent {
  return ownEvent({ type: typeOf(workflow, kind), tenant, source, key: id, data, cause }, services)
}
