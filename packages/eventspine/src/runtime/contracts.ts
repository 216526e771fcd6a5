// The contracts of an app's events: registered at each start, and compared before a deployment.
import {
  asyncApi,
  type Contract,
  type ContractDifference,
  type ContractFinding,
  catalogue,
  checkContracts,
  contractOf,
  differencesOf,
  type JsonSchemaObject,
  jsonSchemas,
  misfits,
  type Reader,
  type RegisteredContract,
  registrationOf,
  type Ways,
} from '../contract/index.js'
import { typeMatcher } from '../event/index.js'
import { EventspineError } from '../kernel/index.js'
import { checkName } from '../redrive/index.js'
import type { Store } from '../store/store.js'
import type { App } from './app.js'

const shownMax = 5

/** Types of the engine's own are nobody's contract. */
const contractsOf = ({ events }: Pick<App, 'events'>): Contract[] =>
  events.filter(({ type }) => !type.startsWith('eventspine.')).map(contractOf)

/** Throws CONTRACT_CHANGED where a registered version has another schema; then nothing was written. */
export async function registerContracts(store: Store, app: Pick<App, 'name' | 'events'>): Promise<void> {
  const own = contractsOf(app)
  if (own.length === 0) return
  const { replaced } = await register(store, app.name, own, null)
  if (replaced.length > 0) throw contractChanged(own, replaced)
}

function register(store: Store, app: string, own: readonly Contract[], replacedBy: string | null) {
  const types = [...new Set(own.map(({ type }) => type))]
  return store.registerContracts(app, types, (known) => registrationOf(app, own, known, replacedBy))
}

function contractChanged(own: readonly Contract[], changed: readonly RegisteredContract[]): EventspineError {
  const lines = changed.slice(0, shownMax).map((before) => {
    const now = own.find(({ type, version }) => type === before.type && version === before.version)
    const reasons =
      now?.schema == null || before.schema === null
        ? []
        : [...misfits(before.schema, now.schema), ...misfits(now.schema, before.schema)]
    const [first] = reasons
    const why = first === undefined ? '' : `: ${first.path} ${first.message}`
    return `  - event "${before.type}" version ${before.version}, registered by app "${before.app}"${why}`
  })
  const more = changed.length > shownMax ? [`  - and ${changed.length - shownMax} more`] : []
  return new EventspineError(
    'CONTRACT_CHANGED',
    `The schema of an event was changed without a new version:\n${[...lines, ...more].join('\n')}\n` +
      'Raise the version and add an upcast from the old one. If nothing that counts was published under it (while developing, say): eventspine contracts publish --replace',
  )
}

export interface ContractsServices {
  readonly app: Pick<App, 'name' | 'events' | 'registry' | 'subscriptions'>
  readonly store: Store
}

/** A registered version of an event, and who takes it. */
export interface ContractInUse extends RegisteredContract {
  readonly consumers: readonly {
    readonly name: string
    readonly app: string
    /** The newest version that its app knows; null where nothing was said of it. */
    readonly reads: number | null
  }[]
}

/** The definitions as which an app's subscriptions read a type, each once: the newest, or an older one that they name. */
function readingsIn({ subscriptions, registry }: ContractsServices['app'], type: string) {
  const readings = subscriptions
    .filter(({ matches }) => matches(type))
    .map(({ reads }) => reads?.get(type) ?? registry.newest(type))
  return [...new Set(readings)].filter((each) => each !== undefined)
}

/** As delivery goes them: a version's own upcasters, then those of the newest, and the downcasters of that one alone. */
function waysOf(app: ContractsServices['app']): Ways {
  const stepsTo = (type: string, to: number) => {
    const read = readingsIn(app, type).filter(({ version }) => version === to)
    return [...read, app.registry.newest(type)]
  }
  return {
    leadsUp: (type, from, to) =>
      versions(from, to).every((step) => stepsTo(type, to).some((each) => each?.upcast[step] !== undefined)),
    leadsDown: (type, from, to) =>
      versions(to + 1, from + 1).every((step) => app.registry.newest(type)?.downcast[step] !== undefined),
  }
}

const versions = (from: number, before: number) =>
  Array.from({ length: Math.max(0, before - from) }, (_, index) => from + index)

/** Contracts of one cell. */
export class Contracts {
  readonly #services: ContractsServices

  constructor(services: ContractsServices) {
    this.#services = services
  }

  /** Those of the app, as its code says them. */
  get own(): readonly Contract[] {
    return contractsOf(this.#services.app)
  }

  /** What is registered here, by any app, by type and version. */
  list(): Promise<readonly RegisteredContract[]> {
    return this.#services.store.contracts()
  }

  /** What the data of one version look like: as the app's code says, else as it is registered. Null where nobody can tell. */
  async schemaOf(type: string, version: number): Promise<JsonSchemaObject | null> {
    const isIt = (each: Contract) => each.type === type && each.version === version
    const own = this.own.find(isIt)
    return (own ?? (await this.#services.store.contracts([type])).find(isIt))?.schema ?? null
  }

  /** What is registered here with the subscriptions that take it, of any app, by type and version. */
  async inUse(): Promise<readonly ContractInUse[]> {
    const [registered, readers] = await Promise.all([this.list(), this.#readers()])
    return registered.map((contract) => ({
      ...contract,
      consumers: readers
        .filter(({ takes }) => takes(contract.type))
        .map(({ name, app, reads }) => ({ name, app, reads: reads(contract.type) ?? null })),
    }))
  }

  /** How the app's events differ from what is registered, by type and version. */
  async diff(): Promise<readonly ContractDifference[]> {
    const { app, store } = this.#services
    return differencesOf(app.name, this.own, await store.contracts(), waysOf(app))
  }

  /** What deploying the app here would break. Changes nothing. */
  async check(): Promise<readonly ContractFinding[]> {
    const { app, store } = this.#services
    const { leadsUp } = waysOf(app)
    const readsAs = (type: string) => readingsIn(app, type).map(({ version }) => version)
    const deployed = { name: app.name, contracts: this.own, readsAs, leadsUp }
    return checkContracts(deployed, await store.contracts(), await this.#readers())
  }

  /**
   * Registers the app's contracts without starting it. `replacedBy` (who, for the audit) replaces those that differ;
   * without it CONTRACT_CHANGED is thrown. Answers what was replaced.
   */
  async publish(replacedBy?: string): Promise<readonly RegisteredContract[]> {
    const { app, store } = this.#services
    if (replacedBy === undefined) {
      await registerContracts(store, app)
      return []
    }
    return (await register(store, app.name, this.own, checkName('actor', replacedBy))).replaced
  }

  /** All that is registered here as an AsyncAPI 3.0 document. */
  async asyncApi(): Promise<Readonly<Record<string, unknown>>> {
    return asyncApi(this.#services.app.name, await this.list(), await this.#readers())
  }

  /** The same as JSON Schemas (draft 2020-12), by file name. */
  async jsonSchemas(): Promise<ReadonlyMap<string, JsonSchemaObject>> {
    return new Map(jsonSchemas(await this.list()))
  }

  /** A catalogue for people: pages in markdown, by file name, `README.md` first. */
  async catalogue(): Promise<ReadonlyMap<string, string>> {
    return new Map(catalogue(this.#services.app.name, await this.list(), await this.#readers()))
  }

  async #readers(): Promise<Reader[]> {
    const views = await this.#services.store.subscriptions()
    return views.map(({ name, app, on, policies }) => {
      const matchers = on.map(typeMatcher)
      const reads = (policies.reads ?? {}) as Readonly<Record<string, number>>
      return {
        ...{ name, app },
        takes: (type: string) => matchers.some((matches) => matches(type)),
        reads: (type: string) => (Object.hasOwn(reads, type) ? reads[type] : undefined),
      }
    })
  }
}
