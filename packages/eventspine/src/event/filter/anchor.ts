// What must be so for a filter to take an event, as far as it can be looked up: of each field that is asked for, the values,
// beginnings, ends and ranges of which one must be there. A condition is left out where it holds without a value
// (`exists: false`), and an "$or" counts where each of its branches can be looked up.
import { fold } from './fold.js'
import type { Leaf } from './operator.js'
import type { FilterOperator, FilterPattern } from './pattern.js'

/** Something that can be looked up at a field. `key` is the same where the same is asked, `weight` how little it says. */
export type Demand = Asked & {
  readonly path: readonly string[]
  readonly key: string
  readonly weight: number
}

type Asked =
  | { readonly kind: 'value'; readonly value: Leaf }
  | { readonly kind: 'folded' | 'prefix' | 'suffix'; readonly value: string }
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'present' }

type Path = readonly string[]
type Item = Leaf | FilterOperator

const weights = { value: 1, folded: 2, prefix: 2, suffix: 2, range: 4, present: 8 }

/**
 * The conditions of a pattern that can be looked up. Each is a list of demands of which at least one is met by every event
 * that the pattern takes. Empty when there is none.
 */
export function conditionsOf(pattern: FilterPattern, path: Path = []): readonly (readonly Demand[])[] {
  return Object.entries(pattern).flatMap(([name, asked]) => {
    if (name === '$or') return ofChoice(asked as readonly FilterPattern[], path)
    const inner = [...path, name]
    if (!Array.isArray(asked)) return conditionsOf(asked as FilterPattern, inner)
    const demands = (asked as readonly Item[]).map((item) => demandOf(item, inner))
    return demands.includes(undefined) ? [] : [demands as readonly Demand[]]
  })
}

function ofChoice(branches: readonly FilterPattern[], path: Path): readonly (readonly Demand[])[] {
  const shortest = branches.map((branch) => {
    const conditions = conditionsOf(branch, path)
    return conditions.toSorted((one, another) => weightOf(one) - weightOf(another))[0]
  })
  return shortest.includes(undefined) ? [] : [(shortest as (readonly Demand[])[]).flat()]
}

function weightOf(demands: readonly Demand[]): number {
  return demands.reduce((sum, { weight }) => sum + weight, 0)
}

function demandOf(item: Item, path: Path): Demand | undefined {
  const asked = askedBy(item)
  return asked && { ...asked, path, key: JSON.stringify([path, asked]), weight: weights[asked.kind] }
}

function askedBy(item: Item): Asked | undefined {
  if (typeof item !== 'object' || item === null) return { kind: 'value', value: item }
  if ('exists' in item) return item.exists ? { kind: 'present' } : undefined
  if ('numeric' in item) return rangeOf(item.numeric)
  if ('equals-ignore-case' in item) return { kind: 'folded', value: fold(item['equals-ignore-case']) }
  if ('prefix' in item) return affix('prefix', item.prefix)
  if ('suffix' in item) return affix('suffix', item.suffix)
  if ('wildcard' in item) return ofWildcard(item.wildcard)
  return { kind: 'present' }
}

function affix(kind: 'prefix' | 'suffix', value: unknown): Asked {
  return typeof value === 'string' && value !== '' ? { kind, value } : { kind: 'present' }
}

/** What stands before the first star, or behind the last. A text with a backslash is not taken apart. */
function ofWildcard(wildcard: string): Asked {
  if (wildcard.includes('\\')) return { kind: 'present' }
  const parts = wildcard.split('*')
  const [first = '', last = ''] = [parts.at(0), parts.at(-1)]
  if (parts.length === 1) return { kind: 'value', value: first }
  return first.length >= last.length ? affix('prefix', first) : affix('suffix', last)
}

function rangeOf(terms: readonly (string | number)[]): Asked {
  let low = Number.NEGATIVE_INFINITY
  let high = Number.POSITIVE_INFINITY
  for (let at = 0; at < terms.length; at += 2) {
    const [comparator, bound] = [terms[at], Number(terms[at + 1])]
    if (comparator !== '<' && comparator !== '<=') low = bound
    if (comparator !== '>' && comparator !== '>=') high = bound
  }
  return low === high ? { kind: 'value', value: low } : { kind: 'range', low, high }
}
