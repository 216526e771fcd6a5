// The flags that every command takes.
import { hostname, userInfo } from 'node:os'

export interface Settings {
  readonly json?: boolean
  readonly databaseUrl?: string
  readonly schema?: string
  readonly app?: string
  readonly cell?: string
  readonly actor?: string
}

/** What another command has to be told to mean the same app, tables and cell. Not which database: its address may hold
 *  a password. */
export function chosenBy({ app, schema, cell }: Settings): string {
  const flags = { app, schema, cell }
  return Object.entries(flags)
    .flatMap(([flag, value]) => (value === undefined ? [] : ` --${flag} ${quoted(value)}`))
    .join('')
}

const quoted = (value: string) => (/^[\w./:@-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`)

/** Who acts, for the audit. */
export function actorOf(settings: Settings): string {
  return settings.actor ?? `${userName()}@${hostname()} (command line)`
}

// A container may run under a number without a name.
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}
