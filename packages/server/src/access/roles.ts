// What people are to a system, as scopes of their keys. Machines are given scopes; people a role.
import type { Scope } from './api-key.js'

/** A viewer sees and changes nothing. An operator presses what is safe: what it does can be done again, or undone. An admin
 *  does the rest, too: makes and withdraws keys, discards, terminates, removes, replays to the outside world. */
export const roles = {
  viewer: ['read'],
  operator: ['read', 'operate'],
  admin: ['publish', 'read', 'operate', 'admin'],
} as const satisfies Readonly<Record<string, readonly Scope[]>>

export type Role = keyof typeof roles

export const roleNames = Object.keys(roles) as readonly Role[]

/** Undefined for scopes that are no role's. */
export function roleOf(scopes: readonly Scope[]): Role | undefined {
  const given = new Set(scopes)
  return roleNames.find(
    (role) => roles[role].length === given.size && roles[role].every((scope) => given.has(scope)),
  )
}
