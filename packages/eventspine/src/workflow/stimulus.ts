// What moves an instance on: events in the log under its id as key, so that each instance sees them one by one, in the
// order in which they were accepted.
import type { Event } from '../event/event.js'
import type { NewEvent } from '../event/stored.js'
import { type Clock, type Random, randomHex, uuidv7 } from '../kernel/index.js'
import type { InstanceName, Parent } from './port.js'

export const stimulusKinds = ['started', 'signalled', 'woken', 'overdue', 'child-ended', 'cancelled'] as const
export type StimulusKind = (typeof stimulusKinds)[number]

/** Apps may not define types that begin so. */
export const reservedPrefix = 'eventspine.'
const typePrefix = `${reservedPrefix}workflow.`

export const typeOf = (workflow: string, kind: StimulusKind) => `${typePrefix}${workflow}.${kind}`

export function kindOf(type: string): StimulusKind {
  return type.slice(type.lastIndexOf('.') + 1) as StimulusKind
}

export interface StartData {
  readonly input: unknown
  readonly parent?: Parent
}

export interface SignalData {
  readonly name: string
  readonly payload: unknown
  /** It answers an approval. */
  readonly approval?: true
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
}

/** Whose consequence it is. */
export interface Cause {
  readonly correlationId: string
  readonly causationId: string
  readonly traceparent: string
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
  const { clock, random } = services
  const own = uuidv7(clock, random)
  return {
    id: own,
    type: typeOf(workflow, kind),
    version: 1,
    tenant,
    source,
    subject: null,
    key: id,
    timeMs: clock.now(),
    data: JSON.stringify(data),
    claim: null,
    traceparent: cause?.traceparent ?? newTrace(random),
    correlationId: cause?.correlationId ?? own,
    causationId: cause?.causationId ?? null,
    extensions: null,
    fingerprint: null,
  }
}

function newTrace(random: Random): string {
  const ids = randomHex(24, random)
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`
}
