// Makes the data directory. It is made aside and renamed when complete, so a start that was killed half way leaves
// nothing that a later start could mistake for a database.
import { randomBytes, randomUUID } from 'node:crypto'
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Account, giveTo, giveToOwnerOf } from './account.js'
import type { Binaries } from './binaries.js'
import { EmbeddedDatabaseError } from './errors.js'
import type { Layout } from './layout.js'
import { processesIn, signal } from './processes.js'
import { runProgram } from './programs.js'

/** The role and the database that every embedded server has. */
export const roleName = 'eventspine'

/** What it takes to make and open the data directory of one database. */
export type Place = {
  readonly layout: Layout
  readonly binaries: Binaries
  readonly account: Account
  /** Gone with the process: not worth waiting for the disk. */
  readonly temporary: boolean
}

const makingPrefix = 'making-'

// Written once into postgresql.conf, where a person may change it. What the supervisor itself relies on is on the
// command line of the server instead.
const tuning = `
# Eventspine's defaults for one machine. They are yours to change.
shared_buffers = 128MB
max_connections = 100
max_wal_size = 2GB
wal_level = replica
fsync = on
synchronous_commit = on
autovacuum = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
`

/** Makes sure that there is a complete data directory, its account owns it, and the password is known. */
export async function ensureCluster(place: Place): Promise<void> {
  const { layout } = place
  removeHalfMade(layout)
  const version = await programVersion(place)
  if (!existsSync(layout.data)) await makeCluster(place, version)
  checkVersion(layout, version)
  giveTo(place.account, layout.data)
  if (!existsSync(layout.password)) await renewPassword(place)
}

/** The password of the role, or undefined when its file is missing. */
export function readPassword(layout: Layout): string | undefined {
  return existsSync(layout.password) ? readFileSync(layout.password, 'utf8').trim() : undefined
}

async function makeCluster(place: Place, version: number): Promise<void> {
  const { layout, account } = place
  const making = join(layout.directory, `${makingPrefix}${randomUUID()}`)
  const passwordFile = `${making}.password`
  const password = newPassword()
  mkdirSync(making, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  giveTo(account, making)
  giveTo(account, passwordFile)
  await initialize(place, making, passwordFile, version)
  rmSync(passwordFile)
  appendFileSync(join(making, 'postgresql.conf'), tuning)
  await singleUser(place, making, `CREATE DATABASE ${roleName}`)
  writePassword(layout, password)
  renameSync(making, layout.data)
  flushFolder(layout.directory)
}

async function initialize(
  place: Place,
  making: string,
  passwordFile: string,
  version: number,
): Promise<void> {
  // A built-in locale sorts alike on every machine and survives an upgrade of the system's libraries.
  const locale = version >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []
  const parameters = [
    `--pgdata=${making}`,
    `--username=${roleName}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    ...locale,
    ...(place.temporary ? ['--no-sync'] : []),
  ]
  const result = await runProgram(place.account, place.binaries.initdb, parameters, { directory: making })
  if (result.code === 0) return
  throw new EmbeddedDatabaseError(
    'EMBEDDED_DATABASE_INIT_FAILED',
    `The database could not be made in ${place.layout.directory}. Check that the disk has space and start again, or set DATABASE_URL to a PostgreSQL server. initdb said:\n${result.output.trim()}`,
  )
}

// A lost password is no lost database: whoever may write the folder may also set a new one.
async function renewPassword(place: Place): Promise<void> {
  const password = newPassword()
  await singleUser(place, place.layout.data, `ALTER ROLE ${roleName} PASSWORD '${password}'`)
  writePassword(place.layout, password)
}

async function singleUser(place: Place, data: string, statement: string): Promise<void> {
  const sync = place.temporary ? ['-F'] : []
  const parameters = ['--single', '-D', data, ...sync, '-c', 'log_min_messages=error', 'postgres']
  const surroundings = { directory: data, input: `${statement}\n` }
  const { code, output } = await runProgram(place.account, place.binaries.postgres, parameters, surroundings)
  if (code === 0 && !output.includes('ERROR:')) return
  throw new EmbeddedDatabaseError(
    'EMBEDDED_DATABASE_INIT_FAILED',
    `The database in ${data} could not be prepared. PostgreSQL said:\n${output.trim()}`,
  )
}

async function programVersion(place: Place): Promise<number> {
  const surroundings = { directory: place.layout.directory }
  const { code, output } = await runProgram(
    place.account,
    place.binaries.postgres,
    ['--version'],
    surroundings,
  )
  const version = /PostgreSQL\) (\d+)/.exec(output)?.[1]
  if (code === 0 && version !== undefined) return Number(version)
  throw new EmbeddedDatabaseError(
    'EMBEDDED_DATABASE_START_FAILED',
    `The PostgreSQL program ${place.binaries.postgres} does not run on this machine. Set DATABASE_URL to a PostgreSQL server instead. It said:\n${output.trim()}`,
  )
}

function checkVersion(layout: Layout, version: number): void {
  const file = join(layout.data, 'PG_VERSION')
  const found = existsSync(file) ? readFileSync(file, 'utf8').trim() : 'none'
  if (found === String(version)) return
  throw new EmbeddedDatabaseError(
    'EMBEDDED_DATABASE_OTHER_VERSION',
    `The data in ${layout.data} is of PostgreSQL version ${found}, the program is version ${version}. Move the folder away to start empty, or give postgresBinary a server of version ${found}.`,
  )
}

// Called under the lock: whatever was being made is no longer wanted, though its initdb may have outlived its owner.
function removeHalfMade(layout: Layout): void {
  for (const name of readdirSync(layout.directory)) {
    if (!name.startsWith(makingPrefix)) continue
    const path = join(layout.directory, name)
    for (const pid of processesIn(path)) signal(pid, 'SIGKILL')
    rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
}

function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

function writePassword(layout: Layout, password: string): void {
  const aside = `${layout.password}.new`
  rmSync(aside, { force: true })
  writeFileSync(aside, `${password}\n`, { mode: 0o600, flush: true })
  giveToOwnerOf(layout.directory, aside)
  renameSync(aside, layout.password)
}

function flushFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  fsyncSync(folder)
  closeSync(folder)
}
