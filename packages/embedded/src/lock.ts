// One process at a time starts or stops the server of a directory. The lock is a file that names its holder, so
// a lock whose holder died is recognised and broken: nobody deletes lock files by hand after a kill -9.
import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { EmbeddedDatabaseError, systemCode } from './errors.js'
import { isAlive, ownIdentity, type ProcessIdentity } from './processes.js'

const lockWaitMsMax = 60_000
const lockPollMs = 25
// Breaking takes microseconds; a breaker older than this died while it was at it.
const breakerAgeMsMax = 10_000

/** Runs the work while holding the lock file. Waits for a living holder, up to a minute. */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  await acquire(path)
  try {
    return await work()
  } finally {
    remove(path)
  }
}

async function acquire(path: string): Promise<void> {
  for (let waitedMs = 0; waitedMs <= lockWaitMsMax; waitedMs += lockPollMs) {
    if (claim(path)) return
    const holder = readHolder(path)
    if (holder !== undefined && !isAlive(holder)) breakLock(path)
    else await delay(lockPollMs)
  }
  const pid = readHolder(path)?.pid ?? 'unknown'
  throw new EmbeddedDatabaseError(
    'EMBEDDED_DATABASE_BUSY',
    `Process ${pid} has been starting or stopping the database for over a minute (lock ${path}). Stop that process and try again.`,
  )
}

// Written aside and linked into place, so that nobody ever reads a lock that is half written.
function claim(path: string): boolean {
  const aside = `${path}.${process.pid}.${randomUUID()}`
  writeFileSync(aside, JSON.stringify(ownIdentity()), { mode: 0o644 })
  try {
    linkSync(aside, path)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(aside)
  }
}

// Two processes may find the same dead holder. Without the second lock the slower one would remove the lock which
// the faster one has just taken.
function breakLock(path: string): void {
  const breaker = `${path}.breaking`
  if (!claim(breaker)) {
    if (ageMs(breaker) > breakerAgeMsMax) remove(breaker)
    return
  }
  try {
    const holder = readHolder(path)
    if (holder !== undefined && !isAlive(holder)) remove(path)
  } finally {
    remove(breaker)
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isIdentity(value) ? value : { pid: 0, startedAt: 'unreadable' }
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : { pid: 0, startedAt: 'unreadable' }
  }
}

/** Whether a value read from a file names a process. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false
  const { pid, startedAt } = value as Record<string, unknown>
  return typeof pid === 'number' && typeof startedAt === 'string'
}

function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs
  } catch {
    return 0
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
