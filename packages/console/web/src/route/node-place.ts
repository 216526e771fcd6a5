// Where a part of the system is shown: the map and the palette lead there.
import type { MapNode } from '../api/system-views.js'
import type { Params } from './href.js'

interface NodePlace {
  readonly to: string
  readonly params: Params
}

export function placeOf({ kind, name }: Pick<MapNode, 'kind' | 'name'>): NodePlace {
  if (kind === 'event') return { to: 'events', params: { type: name } }
  if (kind === 'app') return { to: 'map', params: { app: name } }
  if (kind === 'workflow') return { to: 'workflows', params: { workflow: name } }
  if (kind === 'schedule' || kind === 'reconciler') return { to: 'schedules', params: {} }
  if (kind === 'webhook') return { to: 'webhooks', params: {} }
  if (kind === 'source') return { to: 'events', params: { pattern: JSON.stringify({ source: [name] }) } }
  return { to: 'subscriptions', params: { name } }
}
