// What webhooks say in the log: that a message is addressed to an endpoint, and that an endpoint was disabled.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type AnyEventDefinition, type Cause, defineEvent, ownEvent, reservedPrefix } from '../event/index.js'
import type { NewEvent } from '../event/stored.js'
import type { Clock, Random } from '../kernel/index.js'
import type { EndpointStanding } from './port.js'

/** Data of a message. Who mends a dead letter may change the body. */
export interface Addressed {
  readonly endpoint: string
  readonly body: object
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const schema: StandardSchemaV1<Addressed> = {
  '~standard': {
    ...{ version: 1, vendor: 'eventspine' },
    validate(value) {
      if (isObject(value) && typeof value['endpoint'] === 'string' && isObject(value['body']))
        return { value: value as unknown as Addressed }
      return { issues: [{ message: 'must keep "endpoint" as it is; "body" is an object' }] }
    },
  },
}

export const messageTypeOf = (webhooks: string) => `${reservedPrefix}webhook.${webhooks}`

/** A type for each, so that no other reads them. */
export const messageOf = (webhooks: string): AnyEventDefinition =>
  defineEvent({
    ...{ type: messageTypeOf(webhooks), schema },
    key: ({ endpoint }) => endpoint,
    description: `A message of the webhooks "${webhooks}" to one endpoint`,
  })

export interface EndpointDisabled {
  readonly webhooks: string
  readonly endpoint: string
  /** It answered 410; nothing but failures was heard of it for too long; or a person did it. */
  readonly cause: 'gone' | 'failing' | 'person'
  /** Who: `eventspine` where it was no person. */
  readonly by: string
  readonly reason: string | null
  /** RFC 3339, since when each attempt failed; null where none did. */
  readonly failingSince: string | null
  readonly lastError: string | null
}

const notice: StandardSchemaV1<EndpointDisabled> = {
  '~standard': {
    ...{ version: 1, vendor: 'eventspine' },
    validate: (value) => ({ value: value as EndpointDisabled }),
  },
}

/** `defineSubscription({ name: 'tell-customer', on: webhookEndpointDisabled, handle })`: of whichever webhooks. */
export const webhookEndpointDisabled = defineEvent({
  type: `${reservedPrefix}webhook-endpoint-disabled`,
  schema: notice,
  key: ({ endpoint }) => endpoint,
  description: 'An endpoint of webhooks gets no more messages.',
})

export function disabledEvent(
  { webhooks, endpoint, tenant, disabled, failingSinceMs, lastError }: EndpointStanding,
  cause: Cause | undefined,
  services: { readonly clock: Clock; readonly random: Random },
): NewEvent {
  const data: EndpointDisabled = {
    ...{ webhooks, endpoint, cause: disabled?.cause ?? 'person', by: disabled?.by ?? '' },
    ...{ reason: disabled?.reason ?? null, lastError },
    failingSince: failingSinceMs === null ? null : new Date(failingSinceMs).toISOString(),
  }
  const source = `/eventspine/webhooks/${webhooks}`
  return ownEvent(
    { type: webhookEndpointDisabled.type, tenant, source, key: endpoint, data, cause },
    services,
  )
}
