// Under which account the server runs. PostgreSQL refuses root, and initdb refuses an account without a name, so a
// process started by root gives the server to an ordinary account; where the folders are closed to that account, or
// the account has no name, the server runs in a user namespace of its own, in which it is nobody.
import { type SpawnOptions, spawnSync } from 'node:child_process'
import { chownSync, lchownSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EmbeddedDatabaseError } from './errors.js'

/** How to start a program of the server: a prefix for its command line and the ids of the process. */
export type Account = {
  readonly prefix: readonly string[]
  /** Set only when the ids differ from those of this process. */
  readonly ids?: { readonly uid: number; readonly gid: number }
}

type Ids = { readonly uid: number; readonly gid: number }

const namespace = ['unshare', '--user']
const folderDepthMax = 100

/**
 * Chooses the account of a server.
 * @param directory the folder of the database; its owner runs the server when this process is root
 * @param binary a program of the server, which the account must be able to reach
 */
export function chooseAccount(directory: string, binary: string): Account {
  const own = ownIds()
  if (own === undefined) return { prefix: [] }
  if (own.uid !== 0) return hasName(own.uid) ? { prefix: [] } : namespaced()
  const ids = ordinaryIds(directory)
  if (!isOpenTo(ids, join(directory, 'data')) || !isOpenTo(ids, binary)) return namespaced(directory)
  return hasName(ids.uid) ? { prefix: [], ids } : { ...namespaced(directory), ids }
}

/** The command and options that run a program of the server under its account. */
export function commandFor(account: Account, program: string, parameters: readonly string[]) {
  const [command = program, ...rest] = [...account.prefix, program, ...parameters]
  const options: SpawnOptions = { ...account.ids, env: serverEnvironment() }
  return { command, parameters: rest, options }
}

/** Makes the account the owner of a file or folder, and of all that is in it. Does nothing where it already is. */
export function giveTo(account: Account, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = account.ids ?? { uid: 0, gid: 0 }
  if (lstatSync(path).uid !== uid) chownTree(path, uid, gid)
}

/** As root, hands a new file to the owner of the folder, so that this person can use it without root later. */
export function giveToOwnerOf(folder: string, path: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(folder)
  if (uid !== 0) chownSync(path, uid, gid)
}

// Settings of somebody else's PostgreSQL (PGPORT, PGDATA ...) and of the language must not reach this server.
function serverEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { LC_ALL: 'C', TZ: 'UTC' }
  for (const name of ['PATH', 'SystemRoot', 'TEMP', 'TMP']) {
    const value = process.env[name]
    if (value !== undefined) environment[name] = value
  }
  return environment
}

function ownIds(): Ids | undefined {
  if (process.getuid === undefined || process.getgid === undefined) return undefined
  return { uid: process.getuid(), gid: process.getgid() }
}

function ordinaryIds(directory: string): Ids {
  const owner = statSync(directory)
  if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const nobody = accounts().find((fields) => fields[0] === 'nobody')
  const ids = { uid: Number(nobody?.[2] ?? 65534), gid: Number(nobody?.[3] ?? 65534) }
  return ids.uid >= 0 && ids.gid >= 0 ? ids : { uid: 65534, gid: 65534 }
}

// macOS keeps its ordinary accounts elsewhere; each has a name there.
function hasName(uid: number): boolean {
  return process.platform === 'darwin' || accounts().some((fields) => fields[2] === String(uid))
}

function accounts(): string[][] {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}

function isOpenTo(ids: Ids, path: string): boolean {
  let folder = dirname(path)
  for (let depth = 0; depth < folderDepthMax; depth += 1) {
    const { uid, gid, mode } = statSync(folder)
    const search = uid === ids.uid ? 0o100 : gid === ids.gid ? 0o010 : 0o001
    if ((mode & search) === 0) return false
    if (dirname(folder) === folder) return true
    folder = dirname(folder)
  }
  return false
}

function namespaced(directory = ''): Account {
  const [command = '', ...parameters] = namespace
  if (spawnSync(command, [...parameters, 'true'], { stdio: 'ignore' }).status === 0)
    return { prefix: namespace }
  throw new EmbeddedDatabaseError(
    'EMBEDDED_DATABASE_FORBIDDEN',
    `PostgreSQL does not run as root or under an account without a name, and user namespaces are switched off here. ` +
      `Open the folders to other accounts (chmod o+x on each parent of ${directory || 'the program'}), ` +
      `run as an ordinary user, or set DATABASE_URL to a PostgreSQL server.`,
  )
}

function chownTree(path: string, uid: number, gid: number): void {
  if (lstatSync(path).isDirectory()) {
    for (const name of readdirSync(path)) chownTree(join(path, name), uid, gid)
  }
  lchownSync(path, uid, gid)
}
