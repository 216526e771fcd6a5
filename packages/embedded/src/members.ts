// Who uses the server of a directory now. Each process leaves a file with its name while it does; the last to leave
// stops the server. A member that was killed is recognised as gone and does not count.
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { giveToOwnerOf } from './account.js'
import type { Layout } from './layout.js'
import { isIdentity } from './lock.js'
import { isAlive, ownIdentity } from './processes.js'

/** Counts this process in. Returns the file that says so. */
export function joinMembers(layout: Layout): string {
  const path = join(layout.members, `${process.pid}-${randomUUID()}`)
  writeFileSync(path, JSON.stringify(ownIdentity()), { mode: 0o644 })
  giveToOwnerOf(layout.directory, path)
  return path
}

/** Counts this process out, and says whether nobody else is left. */
export function leaveMembers(layout: Layout, member: string): boolean {
  rmSync(member, { force: true })
  return countMembers(layout) === 0
}

function countMembers(layout: Layout): number {
  let living = 0
  for (const name of readdirSync(layout.members)) {
    const path = join(layout.members, name)
    if (isLiving(path)) living += 1
    else rmSync(path, { force: true })
  }
  return living
}

// Joining happens under the lock, so a file that cannot be read is one that a crash left half written.
function isLiving(path: string): boolean {
  try {
    const identity: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isIdentity(identity) && isAlive(identity)
  } catch {
    return false
  }
}
