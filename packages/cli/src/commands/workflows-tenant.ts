// The option that every command about one instance has.
import type { Command } from 'commander'

export interface TenantFlags {
  readonly tenant?: string
}

export const withTenant = (command: Command) => command.option('--tenant <name>', 'of this tenant')

export const tenantOf = ({ tenant }: TenantFlags) => (tenant === undefined ? {} : { tenant })

/** An instance as further commands name it. */
export const instanceOf = ({ workflow, id, tenant }: InstanceName) =>
  `${workflow} ${quoted(id)}${tenant === 'default' ? '' : ` --tenant ${quoted(tenant)}`}`

interface InstanceName {
  readonly workflow: string
  readonly id: string
  readonly tenant: string
}

/** For a shell, where it would read something else. */
export const quoted = (text: string) =>
  /^[\w.:~/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
