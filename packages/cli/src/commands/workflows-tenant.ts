// The option that every command about one instance has.
import type { Command } from 'commander'

export interface TenantFlags {
  readonly tenant?: string
}

export const withTenant = (command: Command) => command.option('--tenant <name>', 'of this tenant')

export const tenantOf = ({ tenant }: TenantFlags) => (tenant === undefined ? {} : { tenant })
