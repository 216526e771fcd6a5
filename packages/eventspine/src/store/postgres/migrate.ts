// Creates and upgrades the tables. Forward only: a file that was applied somewhere is never edited again.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, EventspineError } from '../../kernel/index.js'
import type { Database } from './database.js'
import { type Execute, lockKey, unprepared } from './exclusive.js'

export interface Migration {
  /** File name without its ending, such as `0001_log_and_delivery`. */
  readonly name: string
  /** A breaking one must not run while workers of the version before it still do. */
  readonly kind: 'additive' | 'breaking'
  readonly text: string
}

const fileName = /^(\d{4}_[a-z0-9_]+)\.sql$/
const firstLine = /^-- (additive|breaking): /
const foldersUpMax = 6

/** The folder `migrations` of this package, whether this runs from its sources or from its build. */
export function migrationsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (let up = 0; up < foldersUpMax; up++) {
    const candidate = join(folder, 'migrations')
    if (existsSync(join(candidate, '0001_log_and_delivery.sql'))) return candidate
    folder = dirname(folder)
  }
  throw new EventspineError(
    'INVARIANT',
    'The folder "migrations" of the package eventspine is missing: install the package again.',
  )
}

/** Every migration that this code knows, oldest first. */
export async function readMigrations(folder: string = migrationsFolder()): Promise<readonly Migration[]> {
  const files = (await readdir(folder)).filter((file) => fileName.test(file)).sort()
  return Promise.all(files.map(async (file) => parse(file, await readFile(join(folder, file), 'utf8'))))
}

function parse(file: string, text: string): Migration {
  const kind = firstLine.exec(text)?.[1]
  assert(
    kind === 'additive' || kind === 'breaking',
    `Migration ${file} must begin with "-- additive: " or "-- breaking: "`,
  )
  return { name: file.replace(/\.sql$/, ''), kind, text }
}

/**
 * Applies what is missing, in order, all in one transaction, then `complete` in the same one. Answers the names
 * that ran. Any number of processes may call it at once: one works, the others wait and then find nothing to do.
 */
export async function runMigrations(
  database: Database,
  migrations: readonly Migration[],
  complete: (execute: Execute) => Promise<void>,
): Promise<readonly string[]> {
  return unprepared(database, async (execute) => {
    await execute('migrate.lock', `SELECT pg_advisory_xact_lock(${lockKey('eventspine.migrate')})`)
    await createSchema(execute, database.schema)
    const applied = await appliedMigrations(execute)
    const missing = migrations.filter((migration) => !applied.has(migration.name))
    for (const migration of missing) {
      await execute('migrate.apply', migration.text)
      await execute('migrate.record', 'INSERT INTO eventspine.migration (name) VALUES ($1)', [migration.name])
    }
    await complete(execute)
    return missing.map((migration) => migration.name)
  })
}

// IF NOT EXISTS alone asks for the right to create schemas even where there is nothing to create.
async function createSchema(execute: Execute, schema: string): Promise<void> {
  const rows = await execute('migrate.schema', 'SELECT FROM pg_namespace WHERE nspname = $1', [schema])
  if (rows.length === 0) await execute('migrate.schema', `CREATE SCHEMA ${schema}`)
}

async function appliedMigrations(execute: Execute): Promise<ReadonlySet<string>> {
  const [table] = await execute<{ present: boolean }>(
    'migrate.present',
    "SELECT to_regclass('eventspine.migration') IS NOT NULL AS present",
  )
  if (!table?.present) return new Set()
  const rows = await execute<{ name: string }>('migrate.applied', 'SELECT name FROM eventspine.migration')
  return new Set(rows.map((row) => row.name))
}

/** Throws SCHEMA_OUTDATED when this code knows a migration that was not applied. A schema ahead of the code is fine. */
export async function requireMigrations(database: Database, migrations: readonly Migration[]): Promise<void> {
  const applied = await unprepared(database, appliedMigrations)
  const missing = migrations
    .filter((migration) => !applied.has(migration.name))
    .map((migration) => migration.name)
  if (missing.length === 0) return
  throw new EventspineError(
    'SCHEMA_OUTDATED',
    `Schema "${database.schema}" lacks ${missing.join(', ')}. Run \`eventspine migrate\`, or start with migrate: true.`,
  )
}
