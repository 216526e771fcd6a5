// Claimed bodies as files of a directory, for one machine or a shared file system.
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ClaimPort } from '../append/port.js'
import { type Random, randomHex, systemRandom } from '../kernel/index.js'
import { bodyGone, claimReference, referenceParts, verifiedBody } from './reference.js'

export interface DirectoryClaimOptions {
  /** Made when it is missing. */
  readonly directory: string
  readonly random?: Random
}

const folderName = /^[0-9a-f]{32}$/
const shelfName = /^[0-9a-f]{2}$/
const temporaryEnding = '.part'

/** A body is there entirely or not at all, and on the disk before `put` answers. */
export function directoryClaims({ directory, random = systemRandom }: DirectoryClaimOptions): ClaimPort {
  const beside = (path: string) => `${path}.${randomHex(8, random)}${temporaryEnding}`
  return {
    async put(tenant, body) {
      const reference = claimReference(tenant, body)
      const path = pathOf(directory, reference)
      await mkdir(dirname(path), { recursive: true })
      // Also when it is there: that renews its time, so that it does not expire under the new event, and mends it.
      await writeDurably(path, beside(path), body)
      return reference
    },

    async get(reference) {
      const path = pathOf(directory, reference)
      const body = await readFile(path, 'utf8').catch((error: unknown) => {
        throw isMissing(error) ? bodyGone(reference, error) : error
      })
      return verifiedBody(reference, body)
    },

    async expire(timeMs) {
      let removed = 0
      for (const path of await filesOf(directory)) {
        if (await removeOlder(path, beside(path), timeMs)) removed++
      }
      return removed
    },
  }
}

// Shelves of two digits keep folders small: some file systems slow down at a hundred thousand entries.
function pathOf(directory: string, reference: string): string {
  const { folder, name } = referenceParts(reference)
  return join(directory, folder, name.slice(0, 2), name)
}

async function writeDurably(path: string, temporary: string, body: string): Promise<void> {
  try {
    await syncing(temporary, 'wx', (file) => file.writeFile(body, 'utf8'))
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncing(dirname(path), 'r', async () => {})
}

type FileHandle = Awaited<ReturnType<typeof open>>

async function syncing(
  path: string,
  flags: string,
  work: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags)
  try {
    await work(file)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function filesOf(directory: string): Promise<readonly string[]> {
  const paths: string[] = []
  for (const folder of await namesOf(directory, folderName)) {
    for (const shelf of await namesOf(join(directory, folder), shelfName)) {
      const path = join(directory, folder, shelf)
      for (const name of await namesOf(path, /^[0-9a-f]{64}/)) paths.push(join(path, name))
    }
  }
  return paths
}

async function namesOf(directory: string, pattern: RegExp): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => pattern.test(name))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

// Set aside before it is removed, and looked at again: a body that was written anew since the first look goes back.
async function removeOlder(path: string, aside: string, timeMs: number): Promise<boolean> {
  try {
    if ((await stat(path)).mtimeMs >= timeMs) return false
    await rename(path, aside)
    if ((await stat(aside)).mtimeMs >= timeMs) {
      await rename(aside, path)
      return false
    }
    await rm(aside, { force: true })
    return !path.endsWith(temporaryEnding)
  } catch (error) {
    // Another process expires the same directory.
    if (isMissing(error)) return false
    throw error
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'
