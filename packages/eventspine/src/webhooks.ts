// `eventspine/webhooks`: the ways out.

export type { EndpointPlace, Webhooks } from './runtime/webhooks.js'
export {
  type EndpointContext,
  type EndpointDisabled,
  type EndpointName,
  type EndpointQuery,
  type EndpointStanding,
  type NetworkOptions,
  type WebhookEndpoint,
  type WebhooksOut,
  type WebhooksOutOptions,
  webhookEndpointDisabled,
  webhooksOut,
} from './webhook/index.js'
