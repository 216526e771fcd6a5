// What a key that is limited to one tenant may see and do: its part, as if there were no other.
import type { CausalNode, EventDetails } from 'eventspine'
import { Problem } from '../problem/problem.js'
import type { Principal } from './principal.js'

/** The filter of a list within the caller's tenant; undefined when it asks for another, so that nothing can match. */
export function visible<Filter extends { readonly tenant?: string }>(
  principal: Principal,
  filter: Filter,
): Filter | undefined {
  if (principal.tenant === undefined) return filter
  if (filter.tenant !== undefined && filter.tenant !== principal.tenant) return undefined
  return { ...filter, tenant: principal.tenant }
}

/** The filter of a command within the caller's tenant. Throws TENANT_FORBIDDEN when it names another. */
export function commanded<Filter extends { readonly tenant?: string }>(
  principal: Principal,
  filter: Filter,
): Filter {
  const own = visible(principal, filter)
  if (own === undefined) throw tenantForbidden(principal, '/filter/tenant')
  return own
}

/** The tenant that an event is published for. Throws TENANT_FORBIDDEN when it is not the caller's. */
export function publishedTenant(
  principal: Principal,
  tenant: string | undefined,
  at: string,
): string | undefined {
  if (principal.tenant === undefined) return tenant
  if (tenant !== undefined && tenant !== principal.tenant) throw tenantForbidden(principal, `${at}/tenant`)
  return principal.tenant
}

/** Whether something of `tenant` exists for the caller. What spans tenants has none. */
export const sees = (principal: Principal, tenant: string | undefined) =>
  principal.tenant === undefined || principal.tenant === tenant

/** An event's details without the events of other tenants in its chain. */
export function visibleDetails(principal: Principal, details: EventDetails): EventDetails {
  if (principal.tenant === undefined) return details
  const own = ownTrees(principal.tenant, details.chain)
  const chain = own.find((tree) => holds(tree, details.event.id)) ?? { event: details.event, children: [] }
  return { ...details, chain }
}

// The chain is at most as long as a correlation may be shown, 1,000 events: recursion is safe.
function ownTrees(tenant: string, node: CausalNode): CausalNode[] {
  const children = node.children.flatMap((child) => ownTrees(tenant, child))
  return node.event.tenant === tenant ? [{ ...node, children }] : children
}

const holds = (node: CausalNode, id: string): boolean =>
  node.event.id === id || node.children.some((child) => holds(child, id))

function tenantForbidden(principal: Principal, field: string): Problem {
  return new Problem(
    'TENANT_FORBIDDEN',
    `The API key is limited to tenant "${principal.tenant}". Leave the tenant out, or use another key.`,
    { field },
  )
}
