// The subscription that sends the messages of webhooks, each endpoint for itself.
import { ownDefaults, type ResolvedSubscription } from '../deliver/index.js'
import type { WebhooksOut } from './definition.js'

/** Beyond the answer: name servers, the app's own look-up, and the rest of what the endpoint says. */
const deadlineMarginMs = 30_000
const leaseMarginMs = 30_000

export const sendingName = (webhooks: string) => `webhooks-${webhooks}-send`

export function sending({
  name,
  message,
  retry,
  concurrency,
  breaker,
  answerMsMax,
}: WebhooksOut): ResolvedSubscription {
  const deadlineMs = answerMsMax + deadlineMarginMs
  return {
    ...ownDefaults,
    ...{ name: sendingName(name), on: [message], matches: (type) => type === message.type, webhooks: name },
    ...{ ordered: 'no', retry, deadlineMs, leaseMs: deadlineMs + leaseMarginMs },
    ...{ concurrencyMax: concurrency.max, concurrencyPerKeyMax: concurrency.perEndpoint },
    keysApart: true,
    breaker: { ...breaker, name: `webhooks-${name}`, probes: 1, rampMs: 10_000, scope: 'key' },
  }
}
