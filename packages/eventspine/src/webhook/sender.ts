// Sends one message to one endpoint, as the handler of its delivery: asks where that is, signs, posts, and keeps count of
// failures, so that an endpoint which never answers is left alone after a while.
import type { Event } from '../event/index.js'
import {
  type HandlerContext,
  type HandlerError,
  PermanentError,
  persistently,
  TimeoutError,
  TransientError,
} from '../handle/index.js'
import { type Clock, type Random, shellWord } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import { secretBytes, signStandardWebhook } from '../source/index.js'
import { type Judgement, judgementOf, shown } from './answer.js'
import type { WebhookEndpoint, WebhooksOut } from './definition.js'
import { fault } from './fault.js'
import { type Addressed, disabledEvent } from './message.js'
import type { EndpointName, EndpointStanding, WebhookPort } from './port.js'
import type { Post } from './post.js'
import { judgedUrl, TargetRefused } from './target.js'

export interface SenderServices {
  readonly webhooks: readonly WebhooksOut[]
  readonly port: WebhookPort
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly post: Post
  /** A notice is in the log. */
  published(): void
}

const secretBytesMin = 24
const secretBytesMax = 64
const secretsMax = 5

export class Sender {
  readonly #services: SenderServices

  constructor(services: SenderServices) {
    this.#services = services
  }

  /** Resolves when the endpoint has taken it; rejects with an error whose category says what is to become of it. */
  async send(webhooks: string, event: Event, context: HandlerContext): Promise<void> {
    const own = this.#services.webhooks.find(({ name }) => name === webhooks) as WebhooksOut
    const name: EndpointName = {
      webhooks,
      tenant: event.tenant,
      endpoint: (event.data as Addressed).endpoint,
    }
    await this.#requireEnabled(name, context.signal)
    const endpoint = await requireEndpoint(own, name, context.signal)
    const judgement = await this.#post(own, endpoint, event, context.signal)
    if (judgement.kind === 'taken') return await this.#succeeded(name)
    // Our own stopping is no fault of the endpoint's.
    if (!context.signal.aborted) await this.#failed(own, name, judgement, event)
    throw fault(judgement.error)
  }

  // Where the store is away the delivery waits for it, as all of them do: that costs no attempt.
  async #requireEnabled(name: EndpointName, signal: AbortSignal): Promise<void> {
    const { clock, port } = this.#services
    const cancellation = {
      get cancelled() {
        return signal.aborted
      },
    }
    const standing = await persistently(clock, cancellation, () => port.webhookEndpoint(name))
    if (standing?.disabled != null) throw disabledError(standing)
  }

  async #post(
    own: WebhooksOut,
    { url, secrets }: WebhookEndpoint,
    event: Event,
    signal: AbortSignal,
  ): Promise<Judgement> {
    const { endpoint, body: content } = event.data as Addressed
    const { clock, post } = this.#services
    const { network, answerMsMax } = own
    const body = Buffer.from(JSON.stringify(content))
    const atMs = clock.now()
    const signed = signStandardWebhook(secrets, { id: event.id, atMs, body })
    const headers = { 'content-type': 'application/json', 'user-agent': userAgent, ...signed }
    try {
      const judged = judgedUrl(url, network)
      const answer = await post({ url: judged, network, headers, body, answerMsMax, signal })
      return judgementOf(endpoint, answer, clock.now())
    } catch (error) {
      return { kind: 'refused', error: unreached(endpoint, error), gone: false }
    }
  }

  // Best effort, as is the count of failures: the message is where it should be.
  async #succeeded(name: EndpointName): Promise<void> {
    await this.#services.port.webhookSucceeded(name).catch((error: unknown) => this.#uncounted(name, error))
  }

  async #failed(
    { disableAfterMs }: WebhooksOut,
    name: EndpointName,
    { error, gone }: Judgement & { readonly kind: 'refused' },
    cause: Event,
  ): Promise<void> {
    const { port, published } = this.#services
    const failure = { error: error.message, gone, failingMsMax: disableAfterMs }
    const { correlationId, id: causationId, traceparent } = cause
    const standing = await port
      .webhookFailed(name, failure, (after) =>
        disabledEvent(after, { correlationId, causationId, traceparent }, this.#services),
      )
      .catch((away: unknown) => this.#uncounted(name, away))
    if (standing?.disabled == null) return
    published()
    throw disabledError(standing)
  }

  #uncounted({ webhooks, endpoint }: EndpointName, error: unknown): undefined {
    this.#services.logger.warn('how an endpoint stands was not written down', { webhooks, endpoint, error })
  }
}

const userAgent = 'Eventspine-Webhooks'

async function requireEndpoint(
  own: WebhooksOut,
  { endpoint: id, tenant }: EndpointName,
  signal: AbortSignal,
): Promise<WebhookEndpoint> {
  const endpoint: unknown = await own.endpoint(id, { tenant, signal })
  if (endpoint === null || endpoint === undefined)
    throw fault(
      new PermanentError(`There is no endpoint "${shown(id)}": "endpoint" of "${own.name}" answered none`),
    )
  const wrong = wrongWith(endpoint as Partial<WebhookEndpoint>)
  // A fault of the app, and none of the endpoint. What it answered holds secrets, so nothing of it is shown.
  if (wrong !== undefined)
    throw fault(new PermanentError(`Endpoint "${shown(id)}" cannot be signed for: ${wrong}`))
  return endpoint as WebhookEndpoint
}

function wrongWith({ secrets }: Partial<WebhookEndpoint>): string | undefined {
  if (!Array.isArray(secrets) || secrets.length === 0 || secrets.length > secretsMax)
    return `"secrets" must name 1 to ${secretsMax}`
  for (const secret of secrets as unknown[]) {
    if (typeof secret !== 'string' || secret === '') return 'a secret is missing or empty'
    const bytes = bytesOf(secret)
    if (bytes === null) return 'a secret is neither "whsec_" and base64 nor a private key "whsk_"'
    if (bytes !== undefined && !(bytes >= secretBytesMin && bytes <= secretBytesMax))
      return `a secret has ${bytes} bytes; write ${secretBytesMin} to ${secretBytesMax}, such as "whsec_" and the output of: openssl rand -base64 32`
  }
  return undefined
}

function bytesOf(secret: string): number | undefined | null {
  try {
    return secretBytes(secret)
  } catch {
    return null
  }
}

function unreached(endpoint: string, error: unknown): HandlerError {
  const message = shown(error instanceof Error ? error.message : String(error))
  if (error instanceof TimeoutError) return new TimeoutError(`Endpoint "${shown(endpoint)}": ${message}`)
  if (error instanceof TargetRefused)
    return new PermanentError(`The URL of endpoint "${shown(endpoint)}" ${message}`)
  return new TransientError(`Endpoint "${shown(endpoint)}" could not be reached: ${message}`, {
    cause: error,
  })
}

function disabledError({ webhooks, tenant, endpoint, disabled }: EndpointStanding): PermanentError {
  const since = new Date(disabled?.atMs ?? 0).toISOString()
  const why = {
    gone: 'since it answered 410',
    failing: 'since it had only failed for too long',
    person: `by ${disabled?.by}`,
  }[disabled?.cause ?? 'person']
  // In quotes, whatever it is: those of all endpoints are one fault, with one fingerprint.
  const place = `${shellWord(shown(endpoint))} --tenant ${shellWord(tenant)}`
  return fault(
    new PermanentError(
      `Endpoint "${shown(endpoint)}" is disabled since ${since}, ${why}. Enable it with: eventspine webhooks enable ${webhooks} ${place}, then redrive`,
    ),
  )
}
