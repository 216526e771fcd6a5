// What the console is built from, as one hash: a checkout whose sources moved on is built again, whatever the times of
// its files say. A published package has no sources, and nothing to build.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of this package, whether this runs from its sources or from its build. */
export const home = join(import.meta.dirname, '..')
/** Where the built files lie. */
export const builtIn = (folder: string) => join(folder, 'dist', 'web')
const settings = ['package.json', 'vite.config.mjs']
/** What the console takes of the library itself, beside types. */
const shared = join('..', 'eventspine', 'src', 'text.ts')

/** Undefined where there are no sources. */
export function sourcesHash(folder: string): string | undefined {
  const sourceFolder = join(folder, 'web')
  if (!existsSync(sourceFolder)) return undefined
  const paths = readdirSync(sourceFolder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !/\.test\.tsx?$/.test(path))
    .map((path) => join('web', path))
    .filter((path) => statSync(join(folder, path)).isFile())
  const hash = createHash('sha256')
  for (const path of [...settings, ...paths.sort(), ...(existsSync(join(folder, shared)) ? [shared] : [])]) {
    const bytes = readFileSync(join(folder, path))
    hash.update(`${path} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('hex')
}
