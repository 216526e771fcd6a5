// What webhooks need of a store: which endpoints fail, since when, and which get no more messages. One that succeeds has no
// row: the table holds what a person may want to see.
import type { NewEvent } from '../event/stored.js'

export interface EndpointName {
  readonly webhooks: string
  readonly tenant: string
  /** Its id, as the app has it. */
  readonly endpoint: string
}

export interface Disabled {
  readonly atMs: number
  readonly cause: 'gone' | 'failing' | 'person'
  readonly by: string
  readonly reason: string | null
}

export interface EndpointStanding extends EndpointName {
  /** Nothing but failures since then, in milliseconds since 1970; null where none was counted. */
  readonly failingSinceMs: number | null
  /** Since then. */
  readonly failures: number
  readonly lastFailedAtMs: number | null
  readonly lastError: string | null
  /** Null while it gets messages. */
  readonly disabled: Disabled | null
}

/** A failure that nothing followed for so long says nothing any more: nobody sends there. */
export const endpointForgottenMs = 30 * 86_400_000

export interface EndpointFailure {
  readonly error: string
  /** It wants no more messages: it is disabled at once. */
  readonly gone: boolean
  /** It is disabled when it has failed for so long. */
  readonly failingMsMax: number
}

/** Says what was disabled, in the transaction that does so. */
export type Notice = (standing: EndpointStanding) => NewEvent

export interface WebhookPort {
  /** Null for one that neither fails nor is disabled. */
  webhookEndpoint(name: EndpointName): Promise<EndpointStanding | null>
  /** Its failures are forgotten. One that is disabled stays so. */
  webhookSucceeded(name: EndpointName): Promise<void>
  /** Counts a failure, and disables it where that is due. Of one that is disabled already nothing changes. */
  webhookFailed(name: EndpointName, failure: EndpointFailure, notice: Notice): Promise<EndpointStanding>
  /** By a person. Answers false where it is disabled already. */
  disableWebhookEndpoint(
    name: EndpointName,
    actor: string,
    reason: string | null,
    notice: Notice,
  ): Promise<boolean>
  /** Its failures are forgotten with it. Answers false where it is not disabled. */
  enableWebhookEndpoint(name: EndpointName, actor: string, reason?: string): Promise<boolean>
  /** Those that fail or are disabled, the latter first, by name; at most `endpointsMax`. */
  webhookEndpoints(query: EndpointQuery, endpointsMax: number): Promise<readonly EndpointStanding[]>
}

export interface EndpointQuery {
  readonly webhooks?: string | undefined
  readonly tenant?: string | undefined
  readonly state?: 'failing' | 'disabled' | undefined
}
