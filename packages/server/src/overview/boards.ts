// The boards of a server: one for each cell.
import type { Eventspine, Logger } from 'eventspine'
import type { ServerLimits } from '../options.js'
import { Board } from './board.js'

export class Boards {
  readonly #spine: Eventspine
  readonly #boards: ReadonlyMap<string, Board>

  constructor(spine: Eventspine, limits: ServerLimits, logger: Logger) {
    this.#spine = spine
    this.#boards = new Map(
      spine.cells.map((cell) => [cell, new Board({ operator: () => spine.operator(cell), limits, logger })]),
    )
  }

  /** That of a cell, by default of the first. Throws CELL_UNKNOWN. */
  of(cell: string = this.#spine.cells[0] as string): Board {
    const board = this.#boards.get(cell)
    if (board !== undefined) return board
    // Says which cells there are.
    this.#spine.operator(cell)
    throw new Error(`Cell "${cell}" came after the server.`)
  }

  start(): void {
    for (const board of this.#boards.values()) board.start()
  }

  stop(): void {
    for (const board of this.#boards.values()) board.stop()
  }
}
