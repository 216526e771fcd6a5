// Processor time of whole programs, as Linux counts it: what a message costs is told apart from how busy the machine is.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Places in /proc/PID/stat, counted behind the name. */
const parentAt = 1
const userAt = 11
const systemAt = 12
const endedUserAt = 13
const endedSystemAt = 14

let ticksPerSecond: number | undefined

/** Milliseconds that the process and all below it have used, those that have ended and were waited for as well. Null where nobody
 *  tells: it is no Linux, or there is no such process. */
export function processorMsOf(processId: number): number | null {
  if (process.platform !== 'linux') return null
  ticksPerSecond ??= Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout)
  const all = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name): [number, readonly number[]][] => {
        const figures = figuresOf(name)
        return figures === null ? [] : [[Number(name), figures]]
      }),
  )
  if (!all.has(processId)) return null
  let ticks = 0
  const family = [processId]
  for (let member = family.pop(); member !== undefined; member = family.pop()) {
    const figures = all.get(member) ?? []
    ticks += [userAt, systemAt, endedUserAt, endedSystemAt].reduce((sum, at) => sum + (figures[at] ?? 0), 0)
    for (const [child, of] of all) if (of[parentAt] === member) family.push(child)
  }
  return (ticks * 1_000) / ticksPerSecond
}

// The name stands in brackets, and may have any in it.
function figuresOf(processId: string): readonly number[] | null {
  try {
    const line = readFileSync(`/proc/${processId}/stat`, 'utf8')
    return line
      .slice(line.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
  } catch {
    return null
  }
}
