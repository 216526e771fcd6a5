// Tables of users as sources: which belong into which cell, and having their triggers made, removed and judged.
import { EventspineError } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import { isTable, type TablePlan, type TableStanding } from '../source/index.js'
import type { Store } from '../store/store.js'
import type { App } from './app.js'

export interface CellTableStanding extends TableStanding {
  readonly cell: string
}

export interface TableSourcesServices {
  readonly app: Pick<App, 'name' | 'sources'>
  /** Names of the cells that this process has. */
  cells(): readonly string[]
  cell(name: string): { readonly store: Store; readonly tables: readonly TablePlan[] }
}

/** In which cells, and how they stand there. All methods take the cells where the rows of the source live, or one of them. */
export class TableSources {
  readonly #services: TableSourcesServices

  constructor(services: TableSourcesServices) {
    this.#services = services
  }

  /** Each table source in each of its cells, and those that an earlier version of the app has left behind. */
  async list(cell?: string): Promise<readonly CellTableStanding[]> {
    const cells = cell === undefined ? this.#services.cells() : [cell]
    const all = cells.map(async (name) => {
      const { store, tables } = this.#services.cell(name)
      return (await store.tableStandings(this.#services.app.name, tables)).map((standing) => ({
        cell: name,
        ...standing,
      }))
    })
    return (await Promise.all(all)).flat()
  }

  /** What `install` runs, for somebody with the rights to. Throws NOT_FOUND, and REQUEST_INVALID where the table is not as the
   *  source needs it. */
  async sql(name: string, cell?: string): Promise<string> {
    const [first] = this.#placesOf(name, cell)
    if (first === undefined) throw unknown(name)
    return await first.store.tableSql(first.plan)
  }

  /**
   * Makes its triggers as the app says, in one transaction for each cell; safe to call again. From then on each change is an
   * event. Answers the cells where something was changed. Throws NOT_FOUND, REQUEST_INVALID where the table is not as the
   * source needs it or the role may not, OVERLOADED where somebody holds the table for longer than 3 s.
   */
  async install(name: string, by: string, cell?: string): Promise<readonly string[]> {
    requireActor(by)
    const changed: string[] = []
    for (const { cell: place, store, plan } of this.#placesOf(name, cell))
      if (await store.installTable(plan, by)) changed.push(place)
    return changed
  }

  /** Removes them, of a source that the app does not define any more, too. Events that were written stay. Answers the cells
   *  where there was something. */
  async uninstall(name: string, by: string, cell?: string): Promise<readonly string[]> {
    requireActor(by)
    const changed: string[] = []
    for (const place of cell === undefined ? this.#services.cells() : [cell])
      if (await this.#services.cell(place).store.uninstallTable(name, by)) changed.push(place)
    return changed
  }

  #placesOf(name: string, cell: string | undefined) {
    if (!this.#services.app.sources.some((source) => isTable(source) && source.name === name))
      throw unknown(
        name,
        this.#services.app.sources.filter(isTable).map((source) => source.name),
      )
    return (cell === undefined ? this.#services.cells() : [cell]).flatMap((place) => {
      const { store, tables } = this.#services.cell(place)
      const plan = tables.find(({ source }) => source === name)
      return plan === undefined ? [] : [{ cell: place, store, plan }]
    })
  }
}

const unknown = (name: string, known: readonly string[] = []) =>
  new EventspineError(
    'NOT_FOUND',
    `There is no table source "${name}" here. Known: ${known.join(', ') || 'none'}.`,
    {
      field: '/source',
    },
  )

function requireActor(by: string): void {
  if (by === '') throw new EventspineError('REQUEST_INVALID', '"by" says who does it.', { field: '/by' })
}

const advice: Readonly<Record<TableStanding['state'], string | undefined>> = {
  installed: undefined,
  absent: 'its changes are no events: install it',
  different: 'what is installed is in another shape than the app says: install it again',
  disabled: 'its triggers are switched off, and its changes are no events: enable them',
  lost: 'its slot is lost, and its changes are no events: install it again, and compare',
  impossible: 'its changes are no events: mend the source or the table',
  abandoned: 'the app does not define it any more, and its changes still become events: uninstall it',
}

/** Says at a start what is not as the app defines it. A worker delivers all the same. */
export async function reportTables(
  store: Store,
  app: App,
  plans: readonly TablePlan[],
  logger: Logger,
): Promise<void> {
  for (const { source, table, state, reason } of await store.tableStandings(app.name, plans))
    if (advice[state] !== undefined)
      logger.warn(`table source "${source}": ${advice[state]}`, { source, table, state, reason })
}
