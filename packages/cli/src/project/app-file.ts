// Loads the module that holds an app. TypeScript runs as it is: in a checkout because this command does too, else with
// the project's own tsx, or by a Node that strips types itself.
import { createRequire } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { App, EventspineOptions } from 'eventspine'
import { CommandError } from '../failure.js'

export interface LoadedApp {
  readonly app: App
  /** The module's export `options`: cells, placement, retention and the like, with its export `prepare`. */
  readonly options: Partial<EventspineOptions>
  readonly file: string
}

/** Throws APP_INVALID, with what to write, when the file holds no app or cannot be loaded. */
export async function loadApp(file: string): Promise<LoadedApp> {
  if (isTypeScript(file)) await prepareTypeScript(file)
  const module = await imported(file)
  const app = [module.default, module.app].find(isApp)
  if (app === undefined) {
    const message = `${file} exports no app. Write "export const app = defineApp({ … })", or make it the default export.`
    throw new CommandError('APP_INVALID', message, { field: '--app' })
  }
  const options = { ...optionsOf(module.options, file), ...preparationOf(module.prepare, file) }
  return { app, options, file }
}

async function imported(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CommandError('APP_INVALID', `${file} cannot be loaded: ${reason}${placeOf(cause, file)}`, {
      field: '--app',
      cause,
    })
  }
}

// The first line of the stack that lies in a file of the person's own.
function placeOf(cause: unknown, file: string): string {
  const stack = cause instanceof Error ? (cause.stack ?? '') : ''
  const line = stack
    .split('\n')
    .find(
      (each) => /\.[cm]?[jt]sx?:\d+/.test(each) && !each.includes('node_modules') && !each.includes('node:'),
    )
  const place = line?.replace(/^.*?(file:\/\/)?(\/[^()]*:\d+)(:\d+)?\)?$/, '$2')
  return place === undefined || place === file ? '' : ` (${place})`
}

const isApp = (value: unknown): value is App =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'app'

function optionsOf(value: unknown, file: string): Partial<EventspineOptions> {
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null) return value
  throw new CommandError(
    'APP_INVALID',
    `${file}: its export "options" must be an object, as new Eventspine(app, options) takes it.`,
  )
}

type Prepare = NonNullable<EventspineOptions['prepare']>

function preparationOf(value: unknown, file: string): { readonly prepare?: Prepare } {
  if (value === undefined) return {}
  if (typeof value !== 'function') {
    throw new CommandError(
      'APP_INVALID',
      `${file}: its export "prepare" must be a function. Write "export async function prepare({ databaseUrl }) { … }".`,
      { field: '--app' },
    )
  }
  return { prepare: (cell) => explained(file, async () => (value as Prepare)(cell)) }
}

// Else an error of the person's own SQL would read like one of ours.
async function explained(file: string, prepare: () => Promise<void>): Promise<void> {
  try {
    await prepare()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `${file}: its export "prepare" failed: ${reason}${placeOf(cause, file)}`
    throw new CommandError('PREPARE_FAILED', message, { field: '--app', cause })
  }
}

const isTypeScript = (file: string) => ['.ts', '.mts', '.cts', '.tsx'].includes(extname(file))

/** Whether this command itself runs as TypeScript: then so can anything that it imports. */
export const runsFromSource = isTypeScript(fileURLToPath(import.meta.url))

async function prepareTypeScript(file: string): Promise<void> {
  if (runsFromSource || 'typescript' in process.features) return
  const tsx = findTsx(file)
  if (tsx === undefined) {
    const message = `${file} is TypeScript, and tsx is not installed here. Run "npm install --save-dev tsx", or give --app the compiled .js file.`
    throw new CommandError('APP_INVALID', message, { field: '--app' })
  }
  await import(pathToFileURL(tsx).href)
}

function findTsx(file: string): string | undefined {
  for (const from of [file, fileURLToPath(import.meta.url)]) {
    try {
      return createRequire(from).resolve('tsx')
    } catch {
      // Not installed there.
    }
  }
  return undefined
}
