// The bugs that kills and pauses must show: the oracle is worth what it catches of them.
import { environmentOf, plantedEnvironment } from '../mutants/plant-process.js'

const file = 'packages/eventspine/src/store/postgres/settle-sql.ts'

/** Bugs that are one of several nets in the catalogue, and here all of them at once. */
const own = [
  {
    name: 'settle-without-fence',
    edits: [{ file, find: 'AND c.token = m.token AND c.revision = m.revision', replace: '' }],
  },
]

export const mutants: readonly string[] = [
  'acknowledged-before-commit',
  'settle-without-fence',
  'cursor-before-effects',
  'effects-without-settlement',
]

/** What a process is started with to have this bug: one of the list, or any of the catalogue. */
export function mutantEnvironment(name: string): NodeJS.ProcessEnv {
  const mutant = own.find((each) => each.name === name)
  return mutant === undefined ? plantedEnvironment(name) : environmentOf(mutant)
}
