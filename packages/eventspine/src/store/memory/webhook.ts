// Endpoints of webhooks in memory: those that fail or are disabled.
import type { EndpointName, EndpointStanding, WebhookPort } from '../../webhook/port.js'
import { writeEvent } from './append.js'
import type { MemoryTables } from './tables.js'

const keyOf = ({ webhooks, tenant, endpoint }: EndpointName) => JSON.stringify([webhooks, tenant, endpoint])

export function webhookPort(tables: MemoryTables): WebhookPort {
  const { endpoints } = tables
  const tell = (event: Parameters<typeof writeEvent>[2]) => {
    const transaction = tables.begin()
    writeEvent(tables, transaction, event)
    transaction.commit()
  }
  return {
    webhookEndpoint: async (name) => endpoints.get(keyOf(name)) ?? null,

    async webhookSucceeded(name) {
      if (endpoints.get(keyOf(name))?.disabled === null) endpoints.delete(keyOf(name))
    },

    async webhookFailed(name, { error, gone, failingMsMax }, notice) {
      const known = endpoints.get(keyOf(name))
      if (known !== undefined && known.disabled !== null) return known
      const now = tables.now()
      const failingSinceMs = known?.failingSinceMs ?? now
      const cause = gone ? 'gone' : now - failingSinceMs >= failingMsMax ? 'failing' : undefined
      const standing: EndpointStanding = {
        ...standingOf(name),
        ...{ failingSinceMs, failures: (known?.failures ?? 0) + 1, lastFailedAtMs: now, lastError: error },
        disabled: cause === undefined ? null : { atMs: now, cause, by: 'eventspine', reason: null },
      }
      endpoints.set(keyOf(name), standing)
      if (standing.disabled !== null) tell(notice(standing))
      return standing
    },

    async disableWebhookEndpoint(name, actor, reason, notice) {
      const known = endpoints.get(keyOf(name)) ?? standingOf(name)
      if (known.disabled !== null) return false
      const disabled = { atMs: tables.now(), cause: 'person', by: actor, reason } as const
      endpoints.set(keyOf(name), { ...known, disabled })
      const change = { before: 'enabled', after: 'disabled', reason }
      tables.audit(actor, 'webhook.disable', name.endpoint, { ...name, ...change })
      tell(notice({ ...known, disabled }))
      return true
    },

    async enableWebhookEndpoint(name, actor, reason) {
      const disabled = endpoints.get(keyOf(name))?.disabled ?? null
      if (disabled === null) return false
      endpoints.delete(keyOf(name))
      const change = { before: 'disabled', after: 'enabled', disabled, reason }
      tables.audit(actor, 'webhook.enable', name.endpoint, { ...name, ...change })
      return true
    },

    async webhookEndpoints({ webhooks, tenant, state }, endpointsMax) {
      return [...endpoints.values()]
        .filter((each) => webhooks === undefined || each.webhooks === webhooks)
        .filter((each) => tenant === undefined || each.tenant === tenant)
        .filter((each) => state === undefined || (each.disabled === null) === (state === 'failing'))
        .sort(byStateAndName)
        .slice(0, endpointsMax)
    },
  }
}

const standingOf = ({ webhooks, tenant, endpoint }: EndpointName): EndpointStanding => ({
  ...{ webhooks, tenant, endpoint, failingSinceMs: null, failures: 0 },
  ...{ lastFailedAtMs: null, lastError: null, disabled: null },
})

const sortKeyOf = (each: EndpointStanding) =>
  [each.disabled === null ? '1' : '0', each.webhooks, each.tenant, each.endpoint].join('\u0000')

function byStateAndName(a: EndpointStanding, b: EndpointStanding): number {
  const [first, second] = [sortKeyOf(a), sortKeyOf(b)]
  return first < second ? -1 : first > second ? 1 : 0
}
