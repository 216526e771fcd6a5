// The bugs that kills and pauses must show: the oracle is worth what it catches of them.

import { catalogue } from '../mutants/catalogue/index.js'
import type { Planted } from './bundle.js'
import type { StrikeLimits } from './strikes.js'

const store = 'packages/eventspine/src/store/postgres'

/** Bugs that are one of several nets in the catalogue, and here all of them at once; and one of a single line. */
const own: readonly Planted[] = [
  {
    name: 'settle-without-fence',
    edits: [
      {
        file: `${store}/settle-sql.ts`,
        find: 'AND c.token = m.token AND c.revision = m.revision',
        replace: '',
      },
    ],
  },
  {
    name: 'effects-of-failed-attempts',
    edits: [
      {
        file: `${store}/settle-transaction.ts`,
        find: `this.#end('ROLLBACK')`,
        replace: `this.#end('COMMIT')`,
      },
    ],
  },
]

export interface CrashMutant {
  readonly name: string
  readonly limits: StrikeLimits
}

const none = { workerKillsMax: 0, postgresKillsMax: 0 }
const onlyWorkers = { secondsMax: 18, workerKillsMax: Number.POSITIVE_INFINITY, postgresKillsMax: 0 }

/** Each with the strikes that must show it. */
export const mutants: readonly CrashMutant[] = [
  { name: 'acknowledged-before-commit', limits: { ...none, secondsMax: 15, postgresKillsMax: 2 } },
  { name: 'settle-without-fence', limits: onlyWorkers },
  { name: 'effects-without-settlement', limits: onlyWorkers },
  { name: 'cursor-before-effects', limits: onlyWorkers },
  { name: 'effects-of-failed-attempts', limits: { ...onlyWorkers, secondsMax: 5 } },
]

/** A bug of this list, or any of the catalogue. */
export function plantedOf(name: string): Planted {
  const mutant = [...own, ...catalogue].find((each) => each.name === name)
  if (mutant === undefined) throw new Error(`There is no mutant "${name}"`)
  return mutant
}
