// What a key that is limited to one tenant may see and do: its part, as if there were no other.
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

function tenantForbidden(principal: Principal, field: string): Problem {
  return new Problem(
    'TENANT_FORBIDDEN',
    `The API key is limited to tenant "${principal.tenant}". Leave the tenant out, or use another key.`,
    { field },
  )
}
