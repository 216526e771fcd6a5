// Which row follows when somebody goes on by the keyboard.

export interface Spot {
  /** It has the focus. */
  readonly chosen: boolean
  /** Some of it is. */
  readonly inSight: boolean
  /** All of it is. */
  readonly whole: boolean
}

/** Its place in the list. From the one that has the focus on; where that was scrolled out of sight, or none has it, one that is looked at.
 *  At the end of the list the last one stays. */
export function rowBehind(rows: readonly Spot[], by: 1 | -1): number {
  const chosen = rows.findIndex((row) => row.chosen)
  if (chosen >= 0 && rows[chosen]?.inSight === true)
    return Math.min(rows.length - 1, Math.max(0, chosen + by))
  const seen = by > 0 ? rows.findIndex(({ whole }) => whole) : rows.findLastIndex(({ whole }) => whole)
  return seen >= 0 ? seen : by > 0 ? 0 : rows.length - 1
}
