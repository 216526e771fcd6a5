// What deploying an app would break: its own contracts, beside those that are registered and those who read them.
import { type Misfit, misfits } from './fit.js'
import type { Contract } from './json-schema.js'
import type { RegisteredContract } from './port.js'

/** A subscription as it is registered, of whichever app. */
export interface Reader {
  readonly name: string
  readonly app: string
  /** Types and patterns. */
  takes(type: string): boolean
  /** The newest version of a type that its app knows; undefined where nothing was said of it. */
  reads(type: string): number | undefined
}

/** An app that is about to be deployed. */
export interface Deployed {
  readonly name: string
  readonly contracts: readonly Contract[]
  /** As which versions its subscriptions read a type: the newest, or an older one that they name. None where none takes it. */
  readsAs(type: string): readonly number[]
  /** Whether its upcasters lead from one version of a type to a later one. */
  leadsUp(type: string, from: number, to: number): boolean
}

export interface ContractFinding {
  /** `breaking`: somebody would fail or stand still. `notice`: worth knowing. */
  readonly severity: 'breaking' | 'notice'
  readonly kind: 'changed' | 'no-upcast' | 'consumer' | 'older' | 'removed' | 'unknown-schema'
  readonly type: string
  readonly version: number
  /** The subscription that would break, and its app. */
  readonly consumer: { readonly name: string; readonly app: string } | null
  readonly message: string
  /** What exactly does not fit, where schemas say so. */
  readonly misfits: readonly Misfit[]
}

/** Of a schema that is not told in JSON Schema, nothing. */
const misfitsOf = (written: Contract, read: Contract): Misfit[] =>
  written.schema === null || read.schema === null ? [] : misfits(written.schema, read.schema)

/**
 * Compares an app with what is registered where it is to run. In the order of the types; breaking ones of a type first.
 * Compatibility is that of neighbours: events of version N − 1 under the code of N, and events of N under that of N − 1.
 */
export function checkContracts(
  app: Deployed,
  registered: readonly RegisteredContract[],
  readers: readonly Reader[],
): ContractFinding[] {
  const types = [...new Set(app.contracts.map(({ type }) => type))].sort()
  const found = types.flatMap((type) => {
    const known = registered.filter((each) => each.type === type)
    const own = app.contracts.filter((each) => each.type === type).sort((a, b) => a.version - b.version)
    const all = [
      ...own.flatMap((each) => changed(each, known, readers)),
      ...between(app, own, known, readers),
    ]
    return all.sort((a, b) => a.severity.localeCompare(b.severity))
  })
  return [...found, ...removed(app, types, registered, readers)]
}

function changed(
  own: Contract,
  known: readonly RegisteredContract[],
  readers: readonly Reader[],
): ContractFinding[] {
  const { type, version } = own
  const before = known.find((each) => each.version === version)
  if (own.schema === null)
    return [
      finding('notice', 'unknown-schema', own, {
        message:
          'its schema cannot be told in JSON Schema, so changes of it are not seen; leave out what JSON lacks, such as z.date()',
      }),
    ]
  if (before === undefined || before.schema === null || before.fingerprint === own.fingerprint) return []
  const newData = misfitsOf(own, before)
  const oldData = misfitsOf(before, own)
  const consumers = readers.filter((each) => each.takes(type) && each.reads(type) === version)
  return [
    finding('breaking', 'changed', own, {
      message: `the schema differs from what app "${before.app}" registered under this version; raise the version to ${version + 1} and add upcast: { ${version}: (old) => … }`,
      misfits: oldData,
    }),
    ...(newData.length === 0 ? [] : consumers).map((consumer) =>
      finding('breaking', 'consumer', own, {
        ...{ consumer, misfits: newData },
        message: 'reads this version as it was, and would fail on what may be published now',
      }),
    ),
  ]
}

function between(
  app: Deployed,
  own: readonly Contract[],
  known: readonly RegisteredContract[],
  readers: readonly Reader[],
): ContractFinding[] {
  const newest = own.at(-1) as Contract
  const { type, version } = newest
  const readAs = app.readsAs(type)
  const unread = unreadOf(app, own, known)
  const newer = known.filter((each) => each.version > version)
  const isNew = !known.some((each) => each.version >= version)
  const before = known.filter((each) => each.version < version).at(-1)
  const behind = readers.filter(
    (each) => each.app !== app.name && each.takes(type) && (each.reads(type) ?? version) < version,
  )
  return [
    ...unread.map(({ contract, to, misfits: unfit }) =>
      finding(readAs.length > 0 ? 'breaking' : 'notice', 'no-upcast', contract, {
        message: `events of this version may be in the log, and version ${to} cannot read them; add upcast: { ${contract.version}: (old) => … }`,
        misfits: unfit,
      }),
    ),
    ...(isNew && before !== undefined ? behind : []).map((consumer) =>
      finding('breaking', 'consumer', newest, {
        consumer,
        message: `reads version ${consumer.reads(type)}: events of version ${version} wait there until its app knows that version; deploy "${consumer.app}" with it first. If that subscription is gone: eventspine subscriptions remove ${consumer.name}`,
        misfits: misfitsOf(newest, before as Contract),
      }),
    ),
    ...newer.map((each) =>
      finding(readAs.length > 0 ? 'breaking' : 'notice', 'older', each, {
        message: `it is registered, and this app knows version ${version}: such events wait at its subscriptions until one knows them, for a day at most`,
        misfits: misfitsOf(each, newest),
      }),
    ),
  ]
}

/** Older versions, registered or defined, that a subscription would meet as one to which nothing leads up. */
function unreadOf(app: Deployed, own: readonly Contract[], known: readonly RegisteredContract[]) {
  const newest = own.at(-1) as Contract
  const asked = app.readsAs(newest.type)
  // Who only publishes makes the newest one; others read it.
  const targets = asked.length > 0 ? asked : [newest.version]
  const defined = own.filter(({ version }) => !known.some((each) => each.version === version))
  const older = [...known, ...defined].filter(({ version }) => version < newest.version)
  return older.flatMap((contract) => {
    const { type, version } = contract
    const to = targets.find((target) => version < target && !app.leadsUp(type, version, target))
    if (to === undefined) return []
    const as = [...own, ...known].find((each) => each.version === to)
    return [{ contract, to, misfits: as === undefined ? [] : misfitsOf(contract, as) }]
  })
}

function removed(
  app: Deployed,
  types: readonly string[],
  registered: readonly RegisteredContract[],
  readers: readonly Reader[],
): ContractFinding[] {
  const gone = registered.filter((each) => each.app === app.name && !types.includes(each.type))
  const newest = gone.filter((each) => !gone.some((o) => o.type === each.type && o.version > each.version))
  return newest.flatMap((each) =>
    readers
      .filter((reader) => reader.app !== app.name && reader.reads(each.type) !== undefined)
      .map((consumer) =>
        finding('notice', 'removed', each, {
          consumer,
          message: 'takes this event, which this app registered and does not define any more',
        }),
      ),
  )
}

function finding(
  severity: ContractFinding['severity'],
  kind: ContractFinding['kind'],
  { type, version }: Contract,
  rest: { readonly message: string; readonly misfits?: readonly Misfit[]; readonly consumer?: Reader },
): ContractFinding {
  const { consumer, message, misfits: all = [] } = rest
  return {
    ...{ severity, kind, type, version, message, misfits: all },
    consumer: consumer === undefined ? null : { name: consumer.name, app: consumer.app },
  }
}
