// The development key between starts: a file that its owner alone can read, made once.
import { chmod, mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ApiKey, apiKeyRecord, createApiKey } from './api-key.js'
import { roles } from './roles.js'

const keyOptions = { scopes: roles.admin, name: 'development' } as const
const ownerOnly = 0o600

/** The key in `file`, made when there is none. Without a file: a new one. */
export async function developmentKey(
  file: string | undefined,
): Promise<{ readonly key: string; readonly record: ApiKey }> {
  if (file === undefined) return createApiKey(keyOptions)
  const kept = await keptKey(file)
  if (kept !== undefined) return { key: kept, record: recordOf(kept, file) }
  const made = createApiKey(keyOptions)
  await mkdir(dirname(file), { recursive: true })
  if (await written(file, made.key)) return made
  // Another start was faster: its key is as good.
  const theirs = (await keptKey(file)) ?? ''
  return { key: theirs, record: recordOf(theirs, file) }
}

async function keptKey(file: string): Promise<string | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    await chmod(file, ownerOnly)
    return text.trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function written(file: string, key: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', ownerOnly)
    try {
      await handle.writeFile(`${key}\n`)
    } finally {
      await handle.close()
    }
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function recordOf(key: string, file: string): ApiKey {
  try {
    return apiKeyRecord(key, keyOptions)
  } catch (cause) {
    throw new Error(`${file} holds no API key. Remove the file, and the next start makes a new one.`, {
      cause,
    })
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)
