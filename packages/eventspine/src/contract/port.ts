// What the contracts of events need from a store.
import type { Contract } from './json-schema.js'

export type { Contract }

/** A contract as the cell holds it. */
export interface RegisteredContract extends Contract {
  /** The app that registered it first, or replaced it. */
  readonly app: string
  readonly registeredAtMs: number
}

/** What becomes of the contracts of a cell when an app registers its own. */
export interface Registration {
  readonly written: readonly Contract[]
  /** Those that the app's own differ from. */
  readonly replaced: readonly RegisteredContract[]
  /** Who has them replaced, for the audit. Null: nobody, and then nothing is written where there are any. */
  readonly replacedBy: string | null
}

export interface ContractPort {
  /** Of these types, or all, by type and version. */
  contracts(types?: readonly string[]): Promise<readonly RegisteredContract[]>
  /** Writes what `decide` makes of the registered ones of these types, while nobody else writes. Answers what that was. */
  registerContracts(
    app: string,
    types: readonly string[],
    decide: (registered: readonly RegisteredContract[]) => Registration,
  ): Promise<Registration>
}
