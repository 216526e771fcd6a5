// The file of API keys of a production server: records with hashes, never the keys themselves.
import { readFile } from 'node:fs/promises'
import { type ApiKey, scopes } from '@eventspine/server'
import { CommandError } from '../failure.js'

const make = 'eventspine keys create --file keys.json --name shop --scopes publish,read'

/** The records of the file. Throws with how to make one. */
export async function readKeys(path: string): Promise<readonly ApiKey[]> {
  const records = await readKeyFile(path)
  if (records.length > 0) return records
  throw new CommandError('KEYS_NEEDED', `${path} holds no key. Make one: ${make}`, { field: '--keys' })
}

/** The records of the file; none when it does not exist. */
export async function readKeyFile(path: string): Promise<readonly ApiKey[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]'
    throw new CommandError('FILE_UNREADABLE', `${path} cannot be read (${error.code}).`, { field: '--keys' })
  })
  const value = parsed(text)
  if (Array.isArray(value) && value.every(isKey)) return value
  throw new CommandError('KEYS_INVALID', `${path} is not a file of keys. Make one: ${make}`, {
    field: '--keys',
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isKey(value: unknown): value is ApiKey {
  if (typeof value !== 'object' || value === null) return false
  const { id, hash, scopes: given } = value as Record<string, unknown>
  if (typeof id !== 'string' || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return false
  return Array.isArray(given) && given.every((scope) => scopes.some((known) => known === scope))
}
