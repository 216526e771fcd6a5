// Which requests of a run are sent: all, or those of `--only 17`, `--only 100-200`.
import { Misuse } from '../core/options.js'

export interface Range {
  readonly from: number
  /** Excluded. */
  readonly until: number
}

export function rangeOf(requests: number, only: string | undefined): Range {
  if (only === undefined) return { from: 0, until: requests }
  const [, first, last] = /^(\d{1,12})(?:-(\d{1,12}))?$/.exec(only) ?? []
  if (first === undefined || Number(last ?? first) < Number(first))
    throw new Misuse(`--only takes a number such as 17 or a range such as 100-200, not "${only}"`)
  return { from: Number(first), until: Number(last ?? first) + 1 }
}
