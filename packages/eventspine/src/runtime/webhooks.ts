// What a person does with the endpoints of webhooks: sees those that fail or are disabled, and disables or enables one.
import { type Clock, EventspineError, type Random } from '../kernel/index.js'
import { checkName, checkReason } from '../redrive/index.js'
import type { Store } from '../store/store.js'
import {
  disabledEvent,
  type EndpointName,
  type EndpointQuery,
  type EndpointStanding,
} from '../webhook/index.js'
import type { App } from './app.js'

/** An endpoint; of the app's tenant where it names none. */
export type EndpointPlace = Omit<EndpointName, 'tenant'> & { readonly tenant?: string | undefined }

export interface WebhooksServices {
  readonly app: Pick<App, 'webhooks'>
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly preparation: { readonly tenant: string }
}

const listedMax = 500

export class Webhooks {
  readonly #services: WebhooksServices

  constructor(services: WebhooksServices) {
    this.#services = services
  }

  /** Endpoints that fail or are disabled, the latter first, at most 500. One that is not listed gets its messages. Throws
   *  NOT_FOUND for webhooks that the app does not define. */
  async list(query: EndpointQuery = {}): Promise<readonly EndpointStanding[]> {
    if (query.webhooks !== undefined) this.#require(query.webhooks)
    return this.#services.store.webhookEndpoints(query, listedMax)
  }

  /** It gets no more messages: they are dead letters until it is enabled. Subscriptions to `webhookEndpointDisabled` hear of it.
   *  Safe to do twice. Throws NOT_FOUND for webhooks that the app does not define. */
  async disable(place: EndpointPlace, actor: string, reason?: string): Promise<void> {
    const { store, clock, random } = this.#services
    const name = this.#nameOf(place)
    this.#require(name.webhooks)
    const why = checkReason(reason) ?? null
    await store.disableWebhookEndpoint(name, checkName('actor', actor), why, (standing) =>
      disabledEvent(standing, undefined, { clock, random }),
    )
    store.notify('webhooks')
  }

  /** It gets messages again. Those that died meanwhile are redriven by hand. Throws NOT_FOUND for one that is not disabled. */
  async enable(place: EndpointPlace, actor: string, reason?: string): Promise<void> {
    const name = this.#nameOf(place)
    const [by, why] = [checkName('actor', actor), checkReason(reason)]
    if (await this.#services.store.enableWebhookEndpoint(name, by, why)) return
    throw new EventspineError(
      'NOT_FOUND',
      `Endpoint "${name.endpoint}" of "${name.webhooks}" and tenant "${name.tenant}" is not disabled. \`eventspine webhooks list\` shows those that are.`,
      { field: '/endpoint' },
    )
  }

  #nameOf({ webhooks, endpoint, tenant = this.#services.preparation.tenant }: EndpointPlace): EndpointName {
    return {
      webhooks: checkName('webhooks', webhooks),
      tenant: checkName('tenant', tenant),
      endpoint: checkName('endpoint', endpoint),
    }
  }

  #require(name: string): void {
    const { webhooks } = this.#services.app
    if (webhooks.some((each) => each.name === name)) return
    const known = webhooks.map((each) => each.name).join(', ')
    throw new EventspineError(
      'NOT_FOUND',
      `There are no webhooks "${name}" in this app. Known: ${known || 'none'}.`,
      { field: '/webhooks' },
    )
  }
}
