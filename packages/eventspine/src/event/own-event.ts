// Events of the engine itself: what moves workflows on, and the ticks of schedules. They lie in the log like any other,
// under types that apps cannot take.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type Clock, type Random, randomHex, uuidv7 } from '../kernel/index.js'
import { type AnyEventDefinition, defineEvent } from './definition.js'
import type { NewEvent } from './stored.js'

/** Apps may not define types that begin so. */
export const reservedPrefix = 'eventspine.'

/** Whose consequence an event is. */
export interface Cause {
  readonly correlationId: string
  readonly causationId: string
  readonly traceparent: string
}

export interface OwnEvent {
  readonly type: string
  readonly tenant: string
  readonly source: string
  readonly key: string
  readonly data: object
  readonly cause?: Cause | undefined
}

export function ownEvent(
  { type, tenant, source, key, data, cause }: OwnEvent,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): NewEvent {
  const id = uuidv7(clock, random)
  return {
    ...{ id, type, version: 1, tenant, source, subject: null, key },
    timeMs: clock.now(),
    data: JSON.stringify(data),
    claim: null,
    traceparent: cause?.traceparent ?? newTrace(random),
    correlationId: cause?.correlationId ?? id,
    causationId: cause?.causationId ?? null,
    ...{ extensions: null, fingerprint: null },
  }
}

function newTrace(random: Random): string {
  const ids = randomHex(24, random)
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`
}

const anything: StandardSchemaV1 = {
  '~standard': { version: 1, vendor: 'eventspine', validate: (value) => ({ value }) },
}

const definitions = new Map<string, AnyEventDefinition>()

/** For handlers that publish one. */
export function ownDefinition(type: string): AnyEventDefinition {
  let known = definitions.get(type)
  if (known === undefined) definitions.set(type, (known = defineEvent({ type, schema: anything })))
  return known
}
