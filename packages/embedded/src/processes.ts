// Other processes as the kernel shows them: alive or not, since when, working where. A pid alone proves nothing, since
// pids are used again, so a process is always named by pid and start time. Zombies count as gone: in a container
// whose first process reaps nobody, they stay for ever.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { systemCode } from './errors.js'

/** A process named so that a later one with the same pid is not mistaken for it. */
export type ProcessIdentity = { readonly pid: number; readonly startedAt: string }

const pollMs = 10
const serverPrograms = ['postgres', 'initdb']

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startedAt: startOf(process.pid) ?? '' }
}

/** When the process began, in the words of the system; undefined when it is gone or only a zombie is left. */
export function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') return startFromProc(pid)
  if (process.platform === 'win32') return isSignalable(pid) ? '' : undefined
  return startFromPs(pid)
}

/** Whether exactly this process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return startOf(identity.pid) === identity.startedAt
}

/** Whether the process is a program of PostgreSQL at work on this data directory (a real path). */
export function worksIn(pid: number, dataDirectory: string): boolean {
  if (process.platform === 'win32') return isSignalable(pid)
  if (process.platform !== 'linux') return commandOf(pid).includes(dataDirectory)
  try {
    // The program is asked for too: a person's shell may stand in the folder.
    const program = basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ''))
    return readlinkSync(`/proc/${pid}/cwd`) === dataDirectory && serverPrograms.includes(program)
  } catch {
    return false
  }
}

/** Every process that works in this data directory: also the backends of a postmaster that was killed. */
export function processesIn(dataDirectory: string): number[] {
  if (process.platform !== 'linux') return []
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => worksIn(pid, dataDirectory) && startOf(pid) !== undefined)
}

/** Sends a signal; a process that is already gone is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error
  }
}

/** Waits until the condition holds. Returns false when it did not within the time. */
export async function waitUntil(holds: () => boolean, waitMsMax: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= waitMsMax; waitedMs += pollMs) {
    if (holds()) return true
    await delay(pollMs)
  }
  return holds()
}

function startFromProc(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  return state === 'Z' || state === 'X' ? undefined : fields[19]
}

function startFromPs(pid: number): string | undefined {
  const line = ps(pid, 'stat=,lstart=').trim()
  if (line === '' || line.startsWith('Z')) return undefined
  return line.slice(line.indexOf(' ') + 1).trim()
}

function commandOf(pid: number): string {
  return ps(pid, 'command=')
}

function ps(pid: number, columns: string): string {
  try {
    return execFileSync('ps', ['-ww', '-o', columns, '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' })
  } catch {
    return ''
  }
}

function isSignalable(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
