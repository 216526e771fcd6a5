// What a person reads when a filter is wrong: where it is wrong, what is wrong, what to write instead.

const pathCharactersMax = 300
const shownCharactersMax = 60
const plainName = /^[\w$-]+$/

/** A pattern that cannot be a filter. Thrown while compiling, never while matching. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
  /** Where in the pattern, such as `data.amount[0].numeric`; empty for the pattern itself. */
  readonly path: string

  constructor(path: string, problem: string) {
    const place = path.length > pathCharactersMax ? `${path.slice(0, pathCharactersMax)}…` : path
    super(place === '' ? `The filter ${problem}` : `The filter at ${place} ${problem}`)
    this.path = place
  }
}

/** The path of a named part: `data.amount`, or `data["a.b"]` where the name is not a plain word. */
export function named(path: string, name: string): string {
  if (!plainName.test(name)) return `${path}[${show(name)}]`
  return path === '' ? name : `${path}.${name}`
}

/** The path of an element: `data.amount[0]`. */
export function indexed(path: string, index: number): string {
  return `${path}[${index}]`
}

/** A value as it may stand in a message: JSON, cut short, control characters escaped. */
export function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text
}
