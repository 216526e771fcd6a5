// Plants a mutant in processes: what they get in their environment loads a hook that edits the product's source while
// it is read. Nothing is written to disk.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { catalogue } from './catalogue/index.js'
import type { Mutant } from './mutant.js'
import { root } from './planter.js'

/** What a process is started with to have the mutant of this name in it. */
export function plantedEnvironment(name: string): NodeJS.ProcessEnv {
  const mutant = catalogue.find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`The catalogue has no mutant "${name}"`)
  return environmentOf(mutant)
}

/** The same for a bug that is in no catalogue. */
export function environmentOf({ name, edits }: Pick<Mutant, 'name' | 'edits'>): NodeJS.ProcessEnv {
  const hook = new URL('./plant-hook.mjs', import.meta.url)
  const planted = edits.map(({ file, find, replace }) => ({
    url: pathToFileURL(join(root, file)).href,
    find,
    replace,
  }))
  return {
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import ${hook.href}`.trim(),
    EVENTSPINE_PLANTED: JSON.stringify({ name, edits: planted }),
  }
}
