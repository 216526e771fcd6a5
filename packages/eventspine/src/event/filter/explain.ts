// Why a filter takes an event, or does not: each list of the pattern beside what the event holds there.
import { compileFilter, type Filter } from './compile.js'
import { indexed, named } from './error.js'
import type { FilterPattern } from './pattern.js'

/** Values of the event that are shown for one condition. */
const foundMax = 20
const listDepthLevelsMax = 64

/** One list of the pattern, and whether the event meets it. */
export interface FilterCondition {
  /** Where in the pattern, such as `data.amount`, or `$or[0].data.amount`. */
  readonly path: string
  readonly wanted: readonly unknown[]
  /** What the event holds there, lists opened: at most 20 values. Empty where it holds nothing. */
  readonly found: readonly unknown[]
  readonly matches: boolean
}

/** The answer of {@link explainFilter}. */
export interface FilterExplanation {
  readonly matches: boolean
  /** In the order of the pattern; those of a `$or` are beneath its branches. */
  readonly conditions: readonly FilterCondition[]
  /** Each `$or` of the pattern, its branches in order: which of them hold. */
  readonly choices: readonly { readonly path: string; readonly branches: readonly boolean[] }[]
  /** Each condition is met, but not by one and the same element of a list. */
  readonly apart: boolean
}

/**
 * Explains what a compiled filter says of an event.
 * @param value the event as `matches` is given it: the whole envelope with its `data`
 */
export function explainFilter(filter: Filter, value: unknown): FilterExplanation {
  const matches = filter.matches(value)
  const explained = new Explained(value, matches)
  const held = explained.object(filter.pattern, [], '')
  const { conditions, choices } = explained
  return { matches, conditions, choices, apart: held && !matches }
}

class Explained {
  readonly conditions: FilterCondition[] = []
  readonly choices: { readonly path: string; readonly branches: readonly boolean[] }[] = []
  readonly #value: unknown
  readonly #taken: boolean

  constructor(value: unknown, taken: boolean) {
    this.#value = value
    this.#taken = taken
  }

  /** Whether each condition is met, be it by different elements. */
  object(pattern: FilterPattern, path: readonly string[], shown: string): boolean {
    let held = true
    for (const [name, asked] of Object.entries(pattern)) {
      const place = named(shown, name)
      if (name === '$or') held = this.#choice(asked as readonly FilterPattern[], path, place) && held
      else if (Array.isArray(asked)) held = this.#list(asked, [...path, name], place) && held
      else held = this.object(asked as FilterPattern, [...path, name], place) && held
    }
    return held
  }

  #choice(branches: readonly FilterPattern[], path: readonly string[], shown: string): boolean {
    const held = branches.map((branch, at) => this.object(branch, path, indexed(shown, at)))
    this.choices.push({ path: shown, branches: held })
    return held.includes(true)
  }

  #list(wanted: readonly unknown[], path: readonly string[], shown: string): boolean {
    const alone = path.reduceRight<unknown>((inner, name) => Object.fromEntries([[name, inner]]), wanted)
    // Asked alone, absence means that no element of a list has it; beside others, that the one element has not.
    const matches = compileFilter(alone).matches(this.#value) || (this.#taken && asksAbsence(wanted))
    this.conditions.push({ path: shown, wanted, found: foundAt(this.#value, path), matches })
    return matches
  }
}

const asksAbsence = (wanted: readonly unknown[]) =>
  wanted.some(
    (item) => typeof item === 'object' && item !== null && 'exists' in item && item.exists === false,
  )

/** The leaves at a path, as a filter sees them: lists opened, objects not. */
function foundAt(value: unknown, path: readonly string[]): unknown[] {
  const found: unknown[] = []
  const look = (inner: unknown, at: number, depth: number): void => {
    if (found.length === foundMax || inner === undefined) return
    if (Array.isArray(inner)) {
      if (depth < listDepthLevelsMax) for (const item of inner) look(item, at, depth + 1)
    } else if (typeof inner === 'object' && inner !== null) {
      const name = path[at]
      if (name !== undefined && Object.hasOwn(inner, name))
        look((inner as Readonly<Record<string, unknown>>)[name], at + 1, 0)
    } else if (at === path.length) found.push(inner)
  }
  look(value, 0, 0)
  return found
}
