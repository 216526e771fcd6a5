// The files of one embedded database. Everything is in one folder, which can be moved or deleted as a whole while
// the server is stopped.
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { EmbeddedDatabaseError, systemCode } from './errors.js'

/** Absolute paths of the parts. */
export type Layout = {
  readonly directory: string
  /** PostgreSQL's own data directory. Tuning goes into its postgresql.conf, as on any server. */
  readonly data: string
  /** Readable by its owner alone. */
  readonly password: string
  /** The port of the last start, tried first by the next, so that a noted address stays true. */
  readonly port: string
  readonly lock: string
  /** One file for each process that uses the server now; the last to leave stops it. */
  readonly members: string
  readonly serverLog: string
  readonly overlay: string
}

/** Makes the folder where it is missing and names its parts. */
export function prepareLayout(directory: string): Layout {
  try {
    makeFolder(directory)
    const root = realpathSync(directory)
    const members = join(root, 'members')
    makeFolder(members)
    for (const folder of [root, members]) accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    return layoutOf(root, members)
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) throw error
    throw new EmbeddedDatabaseError(
      'EMBEDDED_DATABASE_FORBIDDEN',
      `The folder ${directory} cannot be written by this user. Choose another folder for the data, or give this one to the user who starts the program.`,
      error,
    )
  }
}

function layoutOf(root: string, members: string): Layout {
  return {
    directory: root,
    data: join(root, 'data'),
    password: join(root, 'password'),
    port: join(root, 'port'),
    lock: join(root, 'lock'),
    members,
    serverLog: join(root, 'server.log'),
    overlay: join(root, 'programs'),
  }
}

// Root makes each new folder in the name of the owner of its parent: a database made under sudo in a person's
// checkout then still belongs to that person. Others may pass through it, and no more: the server's account must.
function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path, { recursive: true })
  if (process.getuid?.() !== 0) return
  const parent = statSync(dirname(path))
  chmodSync(path, 0o711)
  if (parent.uid !== 0) chownSync(path, parent.uid, parent.gid)
}
