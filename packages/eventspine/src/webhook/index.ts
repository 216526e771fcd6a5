// Webhooks out: events of the app on their way to the endpoints of others.

export {
  type EndpointContext,
  type WebhookEndpoint,
  type WebhooksOut,
  type WebhooksOutOptions,
  webhooksOut,
} from './definition.js'
export { disabledEvent, type EndpointDisabled, webhookEndpointDisabled } from './message.js'
export type { EndpointName, EndpointQuery, EndpointStanding } from './port.js'
export { type Answer, type Post, type Posting, poster } from './post.js'
export { Sender } from './sender.js'
export { sending, sendingName } from './subscription.js'
export type { NetworkOptions } from './target.js'
