// Many filters against one event: which of them take it? Of each filter one condition that must hold is looked up in an
// index, and only the filters whose condition holds are judged in full. So the price follows the filters that come near,
// not those that there are. What is looked up may say yes too often, never too seldom: the filter has the last word.
// Measured by `npm run bench -- --only filters`: see docs/benchmarks.md.
import { conditionsOf, type Demand } from './anchor.js'
import type { Filter } from './compile.js'
import { fold } from './fold.js'
import { Intervals } from './intervals.js'
import type { Leaf } from './operator.js'

/** Lists within lists in an event that are looked into, as when one filter judges. */
const listDepthLevelsMax = 64

/** Filters that judge an event together. */
export interface FilterSet {
  /** The positions of the filters that take the event, ascending, in the list that the set was made of. */
  matching(value: unknown): number[]
}

/**
 * Makes a set of compiled filters. It holds no more than they and an index over one condition of each.
 * @param filters at most 2^31; the same filter may come twice.
 */
export function filterSet(filters: readonly Filter[]): FilterSet {
  const set = new IndexedFilters(filters)
  return Object.freeze({ matching: (value: unknown) => set.matching(value) })
}

class IndexedFilters {
  readonly #filters: readonly Filter[]
  readonly #root = new Place()
  /** Filters of which no condition can be looked up. */
  readonly #others: number[] = []
  /** The number of the event that a filter was last a candidate for: it is judged once. */
  readonly #lastSeen: Float64Array
  #events = 0

  constructor(filters: readonly Filter[]) {
    this.#filters = filters
    this.#lastSeen = new Float64Array(filters.length)
    const conditions = filters.map(({ pattern }) => conditionsOf(pattern))
    const popularity = new Map<string, number>()
    for (const { key } of conditions.flat(2)) popularity.set(key, (popularity.get(key) ?? 0) + 1)
    for (const [position, alternatives] of conditions.entries()) {
      const demands = rarest(alternatives, popularity)
      if (demands === undefined) this.#others.push(position)
      else for (const demand of demands) this.#root.at(demand.path).add(demand, position)
    }
    this.#root.seal()
  }

  matching(value: unknown): number[] {
    this.#events++
    const found: number[] = []
    for (const position of this.#others) this.#judge(position, value, found)
    this.#root.look(value, 0, (position) => {
      if (this.#lastSeen[position] === this.#events) return
      this.#lastSeen[position] = this.#events
      this.#judge(position, value, found)
    })
    return found.sort((one, another) => one - another)
  }

  #judge(position: number, value: unknown, found: number[]): void {
    if (this.#filters[position]?.matches(value)) found.push(position)
  }
}

/** Of the conditions that a filter could be looked up by, the one that the fewest filters share. */
function rarest(
  alternatives: readonly (readonly Demand[])[],
  popularity: ReadonlyMap<string, number>,
): readonly Demand[] | undefined {
  let best: readonly Demand[] | undefined
  let least = Number.POSITIVE_INFINITY
  for (const demands of alternatives) {
    let cost = 0
    for (const { key, weight } of demands) cost += weight * (popularity.get(key) ?? 0)
    if (cost < least) [best, least] = [demands, cost]
  }
  return best
}

type Tell = (position: number) => void

/** A field that filters are looked up by, or one on the way to it. */
class Place {
  readonly #inner = new Map<string, Place>()
  readonly #values = new Map<Leaf, number[]>()
  readonly #folded = new Map<string, number[]>()
  readonly #prefixes = new Affixes((value, length) => value.slice(0, length))
  readonly #suffixes = new Affixes((value, length) => value.slice(-length))
  readonly #intervals = new Intervals()
  readonly #present: number[] = []
  #asksLeaf = false

  at(path: readonly string[]): Place {
    const [name, ...rest] = path
    if (name === undefined) return this
    const inner = this.#inner.get(name) ?? new Place()
    this.#inner.set(name, inner)
    return inner.at(rest)
  }

  add(demand: Demand, position: number): void {
    this.#asksLeaf = true
    if (demand.kind === 'value') listed(this.#values, demand.value).push(position)
    else if (demand.kind === 'folded') listed(this.#folded, demand.value).push(position)
    else if (demand.kind === 'prefix') this.#prefixes.add(demand.value, position)
    else if (demand.kind === 'suffix') this.#suffixes.add(demand.value, position)
    else if (demand.kind === 'range') this.#intervals.add(demand.low, demand.high, position)
    else this.#present.push(position)
  }

  seal(): void {
    this.#intervals.seal()
    for (const inner of this.#inner.values()) inner.seal()
  }

  look(value: unknown, depth: number, tell: Tell): void {
    if (Array.isArray(value)) {
      if (depth < listDepthLevelsMax) for (const item of value) this.look(item, depth + 1, tell)
    } else if (typeof value === 'object' && value !== null) this.#lookInside(value, tell)
    else if (this.#asksLeaf && value !== undefined) this.#lookUp(value as Leaf, tell)
  }

  #lookInside(object: object, tell: Tell): void {
    for (const [name, inner] of this.#inner) {
      if (Object.hasOwn(object, name))
        inner.look((object as Readonly<Record<string, unknown>>)[name], 0, tell)
    }
  }

  #lookUp(leaf: Leaf, tell: Tell): void {
    this.#values.get(leaf)?.forEach(tell)
    this.#present.forEach(tell)
    if (typeof leaf === 'number') this.#intervals.holding(leaf, tell)
    if (typeof leaf !== 'string') return
    if (this.#folded.size > 0) this.#folded.get(fold(leaf))?.forEach(tell)
    this.#prefixes.of(leaf, tell)
    this.#suffixes.of(leaf, tell)
  }
}

/** Beginnings, or ends, of texts. A text is cut once for each length that occurs. */
class Affixes {
  readonly #byLength = new Map<number, Map<string, number[]>>()
  readonly #cut: (value: string, length: number) => string

  constructor(cut: (value: string, length: number) => string) {
    this.#cut = cut
  }

  add(affix: string, position: number): void {
    const known = this.#byLength.get(affix.length) ?? new Map<string, number[]>()
    this.#byLength.set(affix.length, known)
    listed(known, affix).push(position)
  }

  of(value: string, tell: Tell): void {
    for (const [length, known] of this.#byLength) {
      if (length <= value.length) known.get(this.#cut(value, length))?.forEach(tell)
    }
  }
}

function listed<Key>(lists: Map<Key, number[]>, key: Key): number[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}
