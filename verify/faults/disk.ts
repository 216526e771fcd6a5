// A small disk of one's own: a tmpfs, which only root may mount.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Disk } from './scenario.js'

const mebibytes = 256
const blockBytes = 64 * 1024

export function smallDisk(): Disk {
  const directory = mkdtempSync(join(tmpdir(), 'eventspine-disk-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0711`, 'tmpfs', directory], {
      stdio: 'pipe',
    })
  } catch (error) {
    remove()
    const missing = `a tmpfs cannot be mounted here: ${error instanceof Error ? error.message.trim().split('\n').at(-1) : error}`
    return { missing, data: '', remove: () => {} }
  }
  return {
    data: join(directory, 'postgres'),
    remove: () => {
      // The server has ended, but the kernel may not be through with its files.
      execFileSync('umount', ['-l', directory], { stdio: 'pipe' })
      remove()
    },
  }
}

/** Takes all that is left of the disk. Answers what gives it back. */
export function fill(data: string): () => void {
  const path = join(data, '..', 'filler')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(blockBytes)
  try {
    while (statfsSync(join(data, '..')).bavail > 0) writeSync(file, block)
  } catch {
    // No space left: that is what it is for.
  } finally {
    closeSync(file)
  }
  return () => rmSync(path, { force: true })
}
