// The pages of the console in the order of the navigation, worst need first.

import { useSession } from './session.js'

export interface Section {
  /** In the address. */
  readonly page: string
  readonly name: string
  /** The answer spans tenants, so a key of one has no part in it. */
  readonly system?: boolean
  /** For admins. */
  readonly admin?: boolean
}

export const sections: readonly Section[] = [
  { page: '', name: 'Overview', system: true },
  { page: 'dead-letters', name: 'Dead letters' },
  { page: 'redrives', name: 'Redrives' },
  { page: 'events', name: 'Events' },
  { page: 'subscriptions', name: 'Subscriptions', system: true },
  { page: 'workflows', name: 'Workflows' },
  { page: 'breakers', name: 'Breakers', system: true },
  { page: 'schedules', name: 'Schedules' },
  { page: 'workers', name: 'Workers', system: true },
  { page: 'webhooks', name: 'Webhook endpoints' },
  { page: 'audit', name: 'Audit', system: true },
  { page: 'keys', name: 'API keys', system: true, admin: true },
  { page: 'contracts', name: 'Contracts', system: true },
  { page: 'map', name: 'Map', system: true },
]

/** Those that the one who looks may see something on. */
export function useSections(): readonly Section[] {
  const { tenant, scopes } = useSession()
  return sections.filter(
    ({ system, admin }) =>
      (tenant === null || system !== true) && (admin !== true || scopes.includes('admin')),
  )
}
