// One Node for all systems: the pinned one, since peers need a newer one than Eventspine does; elsewhere our own.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface NodeProgram {
  readonly path: string
  readonly version: string
}

export function nodeProgram(): NodeProgram {
  const name = `node-${process.platform}-${process.arch}`
  const pinned = fileURLToPath(new URL(`../node_modules/${name}/bin/node`, import.meta.url))
  if (existsSync(pinned)) {
    const { status, stdout } = spawnSync(pinned, ['--version'], { encoding: 'utf8' })
    if (status === 0) return { path: pinned, version: stdout.trim().slice(1) }
  }
  return { path: process.execPath, version: process.versions.node }
}

/** Whether it is of this version or newer. */
export function isAtLeast({ version }: NodeProgram, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}
