// Runs a TypeScript program of this checkout in this very process: no build before it, and no second process that
// signals would have to be passed on to.
import { register } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './install.mjs'

// Makes a package's name lead to its TypeScript, as --conditions=source does on a command line.
const hooks = `
export function resolve(specifier, context, next) {
  return next(specifier, { ...context, conditions: ['source', ...context.conditions] })
}`

/** Runs the program at this path of the checkout with these arguments; answers what it exports. */
export async function runFromSource(program, parameters) {
  await import('tsx')
  register(`data:text/javascript,${encodeURIComponent(hooks)}`)
  const path = join(root, program)
  process.argv = [process.argv[0], path, ...parameters]
  // What this process starts from itself (workers) finds the sources the same way.
  process.execArgv.push(
    '--import',
    pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href,
    '--conditions=source',
  )
  return await import(pathToFileURL(path).href)
}
