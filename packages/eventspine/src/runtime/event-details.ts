// One event as people look at it: what became of it, what led to it, and whether another tenant has one of the same id.
import type { StoredEvent } from '../event/index.js'
import {
  type CausalNode,
  causalTree,
  type DeliveryView,
  type DeliveryWait,
  type EventView,
} from '../inspect/index.js'
import type { Store } from '../store/store.js'
import { type Waiting, waitsOn } from './waits.js'

/** With why it does not run now; null where it runs or is through. */
export interface DeliveryOfEvent extends DeliveryView {
  readonly wait: DeliveryWait | null
}

export interface EventDetails {
  readonly event: EventView
  readonly deliveries: readonly DeliveryOfEvent[]
  /** From the first event of its correlation, as far as they are of its tenant. */
  readonly chain: CausalNode
  /** Other tenants that have an event of this id, by name, at most 100; empty where the tenant was given. */
  readonly otherTenants: readonly string[]
}

type Details = Pick<Store, 'event' | 'deliveries' | 'correlated' | 'tenantsOf'> & Waiting

/** Null when there is none. */
export async function eventDetails(
  store: Details,
  viewOf: (event: StoredEvent) => Promise<EventView>,
  id: string,
  tenant?: string,
): Promise<EventDetails | null> {
  const event = await store.event(id, tenant)
  if (event === null) return null
  const [view, deliveries, correlated, tenants] = await Promise.all([
    viewOf(event),
    store.deliveries(event),
    store.correlated(event.correlationId),
    tenant === undefined ? store.tenantsOf(id) : [],
  ])
  // A correlation id is what publishers make it: without this, one tenant could look into another's events.
  const own = correlated.filter((each) => each.tenant === event.tenant)
  const waits = await waitsOn(store)(event, deliveries)
  const chain = causalTree(await Promise.all(own.map(viewOf)))
  return {
    event: view,
    deliveries: deliveries.map((each) => ({ ...each, wait: waits.get(each.id) ?? null })),
    chain: chain ?? { event: view, children: [] },
    otherTenants: tenants.filter((each) => each !== event.tenant),
  }
}
