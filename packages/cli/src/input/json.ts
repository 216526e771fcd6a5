// JSON from the command line: written there, in a file, or on standard input. Checked like JSON from anywhere else.
import { open, stat } from 'node:fs/promises'
import { CommandError } from '../failure.js'

const bytesMax = 1024 * 1024

/** The value of `JSON`, `@FILE` or `-`. `barePath`: what does not look like JSON is a path too. */
export async function readJson(given: string, flag: string, barePath = false): Promise<unknown> {
  const { parseJson } = await import('eventspine/ingress')
  const text = await textOf(given, flag, barePath)
  try {
    return parseJson(text, { sizeBytesMax: bytesMax })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'JSON_INVALID'
    const message = error instanceof Error ? error.message : String(error)
    throw new CommandError(code, `${flag}: ${message}`, { field: flag, cause: error })
  }
}

const looksLikeJson = /^\s*([{["]|-?\d[\d.eE+-]*\s*$|(true|false|null)\s*$)/

async function textOf(given: string, flag: string, barePath: boolean): Promise<string | Uint8Array> {
  if (given === '-') return readStandardInput(flag)
  if (given.startsWith('@')) return readSmallFile(given.slice(1), flag)
  return barePath && !looksLikeJson.test(given) ? readSmallFile(given, flag) : given
}

async function readSmallFile(path: string, flag: string): Promise<Uint8Array> {
  const file = await openFile(path, flag)
  try {
    const { size } = await file.stat()
    if (size > bytesMax) throw tooLarge(flag)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

async function readStandardInput(flag: string): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    bytes += (chunk as Buffer).length
    if (bytes > bytesMax) throw tooLarge(flag)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

const tooLarge = (flag: string) =>
  new CommandError('JSON_SIZE', `${flag}: more than ${bytesMax} bytes. Split it.`, { field: flag })

/** Opens a file to read. A missing one is wrong input, told with its path. */
export async function openFile(path: string, flag: string) {
  try {
    // Asked first: to open a pipe is to wait for somebody who writes.
    if ((await stat(path)).isFile()) return await open(path, 'r')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const reason = code === 'ENOENT' ? 'There is no such file' : `It cannot be read (${code})`
    throw new CommandError('FILE_UNREADABLE', `${flag}: ${path}: ${reason}. Check the path.`, { field: flag })
  }
  throw new CommandError('FILE_UNREADABLE', `${flag}: ${path} is not a file.`, { field: flag })
}
