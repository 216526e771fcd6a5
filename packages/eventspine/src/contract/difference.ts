// How the contracts of an app differ from the registered ones.
import { type Misfit, misfits } from './fit.js'
import type { Contract } from './json-schema.js'
import type { RegisteredContract } from './port.js'

export interface ContractDifference {
  readonly type: string
  readonly version: number
  /** `removed`: the app registered it and defines no version of the event from this one on any more. */
  readonly change: 'added' | 'changed' | 'removed'
  /** What of the registered schema (for a new version: of the one before) does not fit the app's. Nothing where upcasters lead
   *  from one to the other. */
  readonly stored: readonly Misfit[]
  /** What of the app's schema does not fit the registered one (or the one before). Nothing where downcasters lead back. */
  readonly published: readonly Misfit[]
}

/** What an app's definitions make of one version of a type as another. */
export interface Ways {
  leadsUp(type: string, from: number, to: number): boolean
  leadsDown(type: string, from: number, to: number): boolean
}

/** By type and version. */
export function differencesOf(
  app: string,
  own: readonly Contract[],
  registered: readonly RegisteredContract[],
  ways: Ways,
): ContractDifference[] {
  const differing = own.flatMap((each): ContractDifference[] => {
    const known = registered.filter(({ type }) => type === each.type)
    const same = known.find(({ version }) => version === each.version)
    if (same === undefined)
      return [added(each, known.filter(({ version }) => version < each.version).at(-1), ways)]
    const isOther = same.schema !== null && each.schema !== null && same.fingerprint !== each.fingerprint
    return isOther ? [difference(each, 'changed', same)] : []
  })
  const removed = registered.filter(
    (each) =>
      each.app === app && !own.some(({ type, version }) => type === each.type && version >= each.version),
  )
  return [...differing, ...removed.map((each) => difference(each, 'removed', undefined))].sort((a, b) =>
    a.type === b.type ? a.version - b.version : a.type < b.type ? -1 : 1,
  )
}

// What a function is given to is not read as it lies there.
function added(own: Contract, before: Contract | undefined, ways: Ways): ContractDifference {
  const made = difference(own, 'added', before)
  if (before === undefined) return made
  const { type, version } = own
  return {
    ...made,
    stored: ways.leadsUp(type, before.version, version) ? [] : made.stored,
    published: ways.leadsDown(type, version, before.version) ? [] : made.published,
  }
}

function difference(
  { type, version, schema }: Contract,
  change: ContractDifference['change'],
  before: Contract | undefined,
): ContractDifference {
  const known = before?.schema ?? null
  const comparable = known !== null && schema !== null
  return {
    ...{ type, version, change },
    stored: comparable ? misfits(known, schema) : [],
    published: comparable ? misfits(schema, known) : [],
  }
}
