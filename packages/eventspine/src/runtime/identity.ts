// Who a process is, so that a neighbour on the same machine can see that it is gone and need not wait for its leases
// to run out. Across machines only the lease time tells.
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}

/** When the process began, in clock ticks since boot; empty where /proc does not say. A number can come back after
 *  its process ended, the pair cannot. */
function startOf(processId: number): string {
  const stat = read(`/proc/${processId}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

let known: { readonly machine: string; readonly own: string } | undefined

// Asked once: none of it changes while a process lives, and every heartbeat compares its neighbours with it.
function here(): { readonly machine: string; readonly own: string } {
  if (known !== undefined) return known
  let namespace = ''
  try {
    namespace = readlinkSync('/proc/self/ns/pid')
  } catch {}
  const machine = `${hostname()}|${read('/proc/sys/kernel/random/boot_id')}|${namespace}`
  known = { machine, own: `${machine}|${process.pid}|${startOf(process.pid)}` }
  return known
}

/** This process: machine, process number, its start. */
export function ownIdentity(): string {
  return here().own
}

/** True when `identity` is of this machine and surely no longer runs. */
export function isDead(identity: string): boolean {
  const at = identity.lastIndexOf('|', identity.lastIndexOf('|') - 1)
  const start = identity.slice(identity.lastIndexOf('|') + 1)
  const processId = Number(identity.slice(at + 1, identity.lastIndexOf('|')))
  if (start === '' || identity.slice(0, at) !== here().machine || !Number.isInteger(processId)) return false
  return startOf(processId) !== start
}
