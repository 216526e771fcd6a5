// Dead letters of the replays of a subscription, as the console names them beside its own: a column where any has some.
import type { Column } from './table.js'
import { dim, red, type Text } from './text.js'
import { count } from './time.js'

interface Counted {
  readonly replayDead: number
}

interface DeadOfReplays {
  /** One, or none. */
  readonly columns: readonly Column[]
  readonly cells: (each: Counted) => readonly Text[]
}

export function deadOfReplays(subscriptions: readonly Counted[]): DeadOfReplays {
  if (subscriptions.every(({ replayDead }) => replayDead === 0)) return { columns: [], cells: () => [] }
  return {
    columns: [{ title: 'OF REPLAYS', align: 'right' }],
    cells: ({ replayDead }) => [replayDead === 0 ? dim('0') : red(count(replayDead))],
  }
}
