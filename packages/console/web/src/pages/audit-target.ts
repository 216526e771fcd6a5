// Where that to which something was done is shown.
import type { AuditEntry } from '../api/views.js'
import type { Params } from '../route/href.js'

interface Place {
  readonly to: string
  readonly params: Params
}

/** Undefined where no page shows it. What was removed since is not found there. */
export function targetOf({ action, target, details }: AuditEntry): Place | undefined {
  const [kind] = action.split('.')
  if (kind === undefined || action === 'subscription.remove') return undefined
  return places[kind]?.(target, details)
}

type Details = AuditEntry['details']

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

const places: Readonly<Record<string, (target: string, details: Details) => Place>> = {
  subscription: (name) => ({ to: 'subscriptions', params: { name } }),
  redrive: (id) => ({ to: 'redrives', params: { id } }),
  replay: (_, { subscription }) => ({ to: 'subscriptions', params: { name: text(subscription) } }),
  breaker: () => ({ to: 'breakers', params: {} }),
  webhook: () => ({ to: 'webhooks', params: {} }),
  schedule: () => ({ to: 'schedules', params: {} }),
  key: () => ({ to: 'keys', params: {} }),
  'dead-letters': (_, { filter }) => ({
    to: 'dead-letters',
    params: { ...namedIn(filter), state: 'discarded' },
  }),
  workflow: (target, { tenant }) => {
    const [workflow = ''] = target.split(' ')
    const id = target.slice(workflow.length + 1)
    return { to: 'workflows', params: { workflow, id, tenant: text(tenant) } }
  },
  contract: (target) => {
    const [type, version] = target.split(' version ')
    return { to: 'contracts', params: { type, version } }
  },
}

const narrows = ['subscription', 'category', 'fingerprint', 'tenant', 'key', 'error']

/** Of what was chosen that which the list of letters can be narrowed by. */
const namedIn = (filter: unknown): Params =>
  typeof filter !== 'object' || filter === null
    ? {}
    : Object.fromEntries(
        Object.entries(filter).flatMap(([name, value]) =>
          narrows.includes(name) && typeof value === 'string' ? [[name, value]] : [],
        ),
      )
