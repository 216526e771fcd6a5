// Which database a command works on: the one that is named, else the embedded one of the project, which is joined where
// it runs already and stopped again by the last that leaves it.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedPostgres } from '@eventspine/embedded'
import { CommandError, exitCodes } from '../failure.js'
import type { Project } from './project.js'

export interface OpenDatabase {
  readonly url: string
  readonly embedded: boolean
  /** Safe to call twice. */
  stop(): Promise<void>
}

/** The address from --database-url or DATABASE_URL, checked. Undefined when the embedded database is meant. */
export function namedDatabase(given: string | undefined, environment: NodeJS.ProcessEnv): string | undefined {
  const url = given ?? environment.DATABASE_URL ?? ''
  if (url === '' && given === undefined) return undefined
  if (/^postgres(ql)?:\/\/[^\s]+$/.test(url) && URL.canParse(url)) return url
  const field = given === undefined ? 'DATABASE_URL' : '--database-url'
  const message = `${field} must be an address such as postgres://user:password@127.0.0.1:5432/database.`
  throw new CommandError('DATABASE_URL_INVALID', message, { field })
}

/** The embedded database of the project. `create`: made where there is none yet, else that is an error. */
export async function openEmbedded(project: Project, create: boolean): Promise<OpenDatabase> {
  const directory = project.databaseDirectory
  if (!create && !existsSync(join(directory, 'data'))) {
    throw new CommandError(
      'DATABASE_MISSING',
      `There is no database in ${directory} yet. Run "eventspine dev" first, or give --database-url.`,
      { field: '--database-url', exitCode: exitCodes.unreachable },
    )
  }
  const database = new EmbeddedPostgres({ directory })
  const { url } = await database.start()
  return { url, embedded: true, stop: () => database.stop() }
}

/** Beside the embedded database lies what enciphers the keys of persons in it, made where none is set. */
export async function embeddedPersonalKeys({ dataDirectory }: Project): Promise<readonly string[]> {
  const given = process.env.EVENTSPINE_PERSONAL_KEY
  if (given !== undefined && given !== '') return given.split(',')
  const file = join(dataDirectory, 'personal.key')
  if (!existsSync(file)) await makeKey(file)
  return [(await readFile(file, 'utf8')).trim()]
}

// Whole before it has its name; of two that make it at once the first wins.
async function makeKey(file: string): Promise<void> {
  const made = `${file}.${process.pid}`
  await writeFile(made, randomBytes(32).toString('base64'), { mode: 0o600 })
  await link(made, file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  })
  await rm(made)
}

/** The address without its password, for people. */
export function withoutPassword(address: string): string {
  const url = new URL(address)
  return `${url.hostname}:${url.port === '' ? '5432' : url.port}${url.pathname}`
}
