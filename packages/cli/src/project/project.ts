// Where the person works: the root of the project, its app file, and the folder that holds its embedded database.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError } from '../failure.js'

const foldersUpMax = 64

export interface Project {
  /** The outermost folder of the project: that of its workspace, else of its package. */
  readonly root: string
  /** Data that is not under version control: `.eventspine` in the root, or EVENTSPINE_DIRECTORY. */
  readonly dataDirectory: string
  /** Where the embedded database is kept. */
  readonly databaseDirectory: string
}

interface Manifest {
  readonly name?: unknown
  readonly workspaces?: unknown
  readonly eventspine?: { readonly app?: unknown }
}

/** The project that `folder` lies in. Without a package.json: `folder` itself. */
export function findProject(folder: string, environment: NodeJS.ProcessEnv): Project {
  const packages = [...foldersUp(folder)].filter((each) => existsSync(join(each, 'package.json')))
  const used = packages.find((each) => existsSync(join(each, '.eventspine')))
  const workspace = packages.find((each) => readManifest(each).workspaces !== undefined)
  const root = used ?? workspace ?? packages[0] ?? resolve(folder)
  const dataDirectory = resolve(environment.EVENTSPINE_DIRECTORY || join(root, '.eventspine'))
  return { root, dataDirectory, databaseDirectory: join(dataDirectory, 'postgres') }
}

/** The file that holds the app: `--app`, else `eventspine.app` of the nearest package.json, else the order pipeline. */
export function findAppFile(folder: string, given: string | undefined): string {
  if (given !== undefined) return existing(resolve(folder, given), `--app ${given}`)
  for (const each of foldersUp(folder)) {
    if (!existsSync(join(each, 'package.json'))) continue
    const app = readManifest(each).eventspine?.app
    if (typeof app === 'string')
      return existing(resolve(each, app), `"eventspine.app" in ${join(each, 'package.json')}`)
  }
  return orderPipeline()
}

function existing(file: string, saidBy: string): string {
  if (existsSync(file)) return file
  const message = `${saidBy} names ${file}, and there is no such file. Check the path.`
  throw new CommandError('APP_MISSING', message, { field: '--app' })
}

// In a checkout of Eventspine itself the example stands in for an app.
function orderPipeline(): string {
  try {
    const file = fileURLToPath(import.meta.resolve('@eventspine/order-pipeline'))
    if (existsSync(file)) return file
  } catch {
    // Told below.
  }
  const message =
    'No app is named. Add --app src/app.ts, or "eventspine": { "app": "src/app.ts" } to package.json.'
  throw new CommandError('APP_MISSING', message, { field: '--app' })
}

function* foldersUp(folder: string): Generator<string> {
  let current = resolve(folder)
  for (let up = 0; up < foldersUpMax; up += 1) {
    yield current
    if (dirname(current) === current) return
    current = dirname(current)
  }
}

function readManifest(folder: string): Manifest {
  const path = join(folder, 'package.json')
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value === 'object' && value !== null ? value : {}
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CommandError('PACKAGE_INVALID', `${path} cannot be read as JSON: ${reason}`, { cause })
  }
}
