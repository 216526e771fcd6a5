// Webhooks out: which events go to which endpoints of others, and where such an endpoint is.
import { defineSubscription, type Interest, type Subscription } from '../deliver/index.js'
import type { AnyEventDefinition, Event, EventOf } from '../event/index.js'
import { type RetryPolicy, retries } from '../handle/index.js'
import { checkOptions, EventspineError } from '../kernel/index.js'
import { expansion } from './expansion.js'
import { messageOf } from './message.js'
import { type NetworkOptions, TargetRefused, targetOf } from './target.js'

/** Where messages go, as the app knows it at this moment. */
export interface WebhookEndpoint {
  readonly url: string
  /** What signs its messages; two while one is replaced. `whsec_` and base64 of 24 to 64 random bytes, or, where whoever
   *  receives is not to be able to sign, `whsk_` and the private key of an ed25519 pair. Of this endpoint alone. */
  readonly secrets: readonly string[]
}

export interface EndpointContext {
  readonly tenant: string
  /** Aborts when whoever asks has given up. */
  readonly signal: AbortSignal
}

export interface WebhooksOutOptions<On> {
  /** Lower case, digits and dashes, at most 80 characters. Its subscriptions are `webhooks-NAME` and `webhooks-NAME-send`. */
  readonly name: string
  readonly on: On
  /** Ids of the endpoints that an event goes to, at most 1,000; each 1 to 200 characters. Called once for each event. */
  readonly endpoints: (
    event: EventOf<On>,
    context: EndpointContext,
  ) => readonly string[] | Promise<readonly string[]>
  /** Where one is. Called for each attempt, so that neither its address nor its secrets are kept anywhere. Null for one that
   *  there is not (any more): its messages are dead letters. */
  readonly endpoint: (
    id: string,
    context: EndpointContext,
  ) => WebhookEndpoint | null | Promise<WebhookEndpoint | null>
  /** The body, once for all endpoints and attempts. Default `{ type, timestamp, data }`, the event's. */
  readonly payload?: (event: EventOf<On>) => object
  /** Judged before `endpoints` is asked: a pattern as subscriptions have it. */
  readonly filter?: Readonly<Record<string, unknown>>
  /** Where it begins when it is first seen. Default `now`. */
  readonly start?: 'beginning' | 'now' | Date
  /** Default `retries.webhook()`: 8 attempts in 28 hours. */
  readonly retry?: RetryPolicy
  /** Posts at once over all workers, and of them to one endpoint. Default 100 and 4. */
  readonly concurrency?: { readonly max?: number; readonly perEndpoint?: number }
  /** Of each endpoint its own. Default 5 failures within 300,000 ms, and 60,000 ms between two probes. */
  readonly breaker?: { readonly failures?: number; readonly windowMs?: number; readonly cooldownMs?: number }
  /** An endpoint of which nothing but failures was heard for so long is disabled. Default 432,000,000: five days. */
  readonly disableAfterMs?: number
  /** How long a post waits for its answer. Default 15,000, at most 30,000. */
  readonly answerMsMax?: number
  /** Which addresses may be posted to. Default: HTTPS to the public internet. */
  readonly network?: NetworkOptions
  readonly description?: string
}

export interface WebhooksOut {
  readonly kind: 'webhook'
  readonly name: string
  readonly endpoints: Endpoints
  readonly endpoint: WebhooksOutOptions<string>['endpoint']
  readonly payload: Payload
  readonly retry: RetryPolicy
  readonly concurrency: { readonly max: number; readonly perEndpoint: number }
  readonly breaker: { readonly failures: number; readonly windowMs: number; readonly cooldownMs: number }
  readonly disableAfterMs: number
  readonly answerMsMax: number
  readonly network: NetworkOptions
  readonly description: string | undefined
  /** One message to one endpoint: an event of the engine's own. */
  readonly message: AnyEventDefinition
  /** Makes the messages of an event. */
  readonly expansion: Subscription
  /**
   * Whether a customer's URL may be posted to as things stand: for the form where it is entered. Each attempt judges anew, since
   * what a name stands for changes. Rejects with REQUEST_INVALID, field `/url`.
   */
  check(url: string): Promise<void>
}

const optionNames: Readonly<Record<keyof WebhooksOutOptions<string>, true>> = {
  name: true,
  on: true,
  endpoints: true,
  endpoint: true,
  payload: true,
  filter: true,
  start: true,
  retry: true,
  concurrency: true,
  breaker: true,
  disableAfterMs: true,
  answerMsMax: true,
  network: true,
  description: true,
}

/** Posts events to the endpoints of others. List it in `defineApp({ webhooks: [ … ] })`. */
export function webhooksOut<const On extends Interest | readonly Interest[]>(
  options: WebhooksOutOptions<On>,
): WebhooksOut {
  checkOptions('webhooksOut', options, optionNames)
  const { name, endpoint, network = {}, description } = options
  const { endpoints, payload } = options as unknown as WebhooksOutOptions<string>
  const message = messageOf(name)
  return Object.freeze({
    ...{ kind: 'webhook' as const, name, endpoints, endpoint, payload, network, description, message },
    retry: options.retry ?? retries.webhook(),
    concurrency: { max: 100, perEndpoint: 4, ...options.concurrency },
    breaker: { failures: 5, windowMs: 300_000, cooldownMs: 60_000, ...options.breaker },
    disableAfterMs: options.disableAfterMs ?? 5 * 86_400_000,
    answerMsMax: options.answerMsMax ?? 15_000,
    expansion: defineSubscription({
      name: `webhooks-${name}`,
      on: options.on,
      ...(options.filter === undefined ? {} : { filter: options.filter }),
      ...(options.start === undefined ? {} : { start: options.start }),
      // Said of `endpoints`: a replay would publish nothing, and the messages have a subscription of their own.
      external: false,
      handle: expansion(message, endpoints, payload),
    }),
    check: (url: string) => checkUrl(url, network),
  })
}

type Endpoints = WebhooksOutOptions<string>['endpoints']
type Payload = ((event: Event) => object) | undefined

async function checkUrl(url: string, network: NetworkOptions): Promise<void> {
  try {
    await targetOf(url, network)
  } catch (error) {
    const why = error instanceof TargetRefused ? error.message : 'names a host that has no address'
    throw new EventspineError('REQUEST_INVALID', `The URL ${why}.`, { field: '/url', cause: error })
  }
}
