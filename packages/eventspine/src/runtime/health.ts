// Whether the cells of a process can be reached.
import type { Logger } from '../observe/log.js'
import type { Cell } from './cell.js'

export interface Health {
  readonly ok: boolean
  readonly cells: Readonly<Record<string, { readonly ok: boolean; readonly error?: 'UNAVAILABLE' }>>
}

export async function healthOf(
  cells: ReadonlyMap<string, Pick<Cell, 'store'>>,
  logger: Logger,
  ready: boolean,
): Promise<Health> {
  const entries = await Promise.all(
    [...cells].map(async ([name, cell]) => {
      const health = await cell.store.ping().then(
        () => ({ ok: true }),
        (error: unknown) => {
          logger.warn('cell cannot be reached', { cell: name, error })
          return { ok: false, error: 'UNAVAILABLE' as const }
        },
      )
      return [name, health] as const
    }),
  )
  return { ok: ready && entries.every(([, health]) => health.ok), cells: Object.fromEntries(entries) }
}
