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
