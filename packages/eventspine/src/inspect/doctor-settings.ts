// Settings of the database server without which acknowledged events can be lost, or it slows down without end.
import type { Finding } from './doctor.js'
import type { DatabaseHealth } from './port.js'

const rules: readonly (readonly [name: string, message: string])[] = [
  ['fsync', 'a power failure can lose acknowledged events and corrupt all tables'],
  ['full_page_writes', 'a power failure can corrupt tables'],
  ['synchronous_commit', 'a crash of the server can lose acknowledged events'],
  ['autovacuum', 'tables grow and slow down without end'],
]

export const settingFindings = (settings: DatabaseHealth['settings']): readonly Finding[] =>
  rules
    .filter(([name]) => settings[name] === 'off')
    .map(([name, message]) => ({
      ...{ severity: 'error' as const, subject: 'database', place: null },
      message: `${name} is off: ${message}.`,
      advice: `ALTER SYSTEM SET ${name} = on; SELECT pg_reload_conf()`,
    }))
