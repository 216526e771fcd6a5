// Plants mutants in what Vite hands to the tests: it sees each module of the product as it is written, before any
// other plugin does.
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vitest/config'
import { catalogue } from './catalogue/index.js'
import { type Mutant, mutated } from './mutant.js'

/** The checkout that the mutants are about. */
export const root = join(fileURLToPath(import.meta.url), '../../..')

export class Planter {
  #mutant: Mutant | undefined
  readonly #planted = new Set<string>()

  /** From now on; none when left out. What was loaded before has to be invalidated. */
  plant(mutant?: Mutant): void {
    this.#mutant = mutant
    this.#planted.clear()
  }

  /** Files that were loaded with the bug in them. */
  get planted(): ReadonlySet<string> {
    return this.#planted
  }

  readonly plugin: Plugin = {
    name: 'eventspine:planter',
    enforce: 'pre',
    transform: (code, id) => {
      const file = relative(root, id.replace(/\?.*$/, '')).split(sep).join('/')
      if (this.#mutant === undefined) return null
      const text = mutated(this.#mutant, file, code)
      if (text === code) return null
      this.#planted.add(file)
      return { code: text, map: null }
    },
  }
}

/** What plants the mutant of this name for a whole run. */
export function planterOf(name: string): Plugin {
  const mutant = catalogue.find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`The catalogue has no mutant "${name}"`)
  const planter = new Planter()
  planter.plant(mutant)
  return planter.plugin
}
