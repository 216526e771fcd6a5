// A search that no index helps is answered in portions of the log, most of them empty: it goes on by itself until something is found,
// or somebody has enough.
import { useEffect, useState } from 'react'
import type { AskedPages } from '../api/asking.js'

export interface SearchOn {
  /** It looks further by itself. */
  readonly runs: boolean
  readonly stop: () => void
  /** Looks further until something more is found; undefined at the end of the log. */
  readonly more: (() => void) | undefined
}

/** `found`: so many so far. A list without a pattern answers whole pages, and is left to whoever reads it. */
export function useSearchOn(
  found: number,
  { scanned, more, loading, stale, problem }: Omit<AskedPages<unknown>, 'data'>,
): SearchOn {
  // It runs until so many are found. Stopped, that is none.
  const [goal, setGoal] = useState(1)
  const searches = scanned !== undefined
  const runs = searches && more !== undefined && !stale && problem === null && found < goal
  useEffect(() => {
    if (runs && !loading) more()
  }, [runs, loading, more])
  return {
    runs,
    stop: () => setGoal(0),
    more:
      more &&
      (() => {
        if (searches) setGoal(found + 1)
        more()
      }),
  }
}
