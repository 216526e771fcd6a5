// Which values of an event's data are personal, and what stands at their place in what the log keeps.

/** `address.street`, or `contacts.*.phone`: `*` is every element of an array, or every member of an object. */
export type FieldPath = string

export const pathsMax = 100
const partsMax = 20

/** Why it is no path; undefined where it is one. */
export function pathFault(path: string): string | undefined {
  const parts = path.split('.')
  if (parts.some((part) => part === ''))
    return `"${path}" has an empty part; write names with dots between, such as "address.street"`
  return parts.length > partsMax ? `"${path}" has more than ${partsMax} parts` : undefined
}

type Change = (value: unknown, place: string) => unknown

/**
 * A copy in which `change` made each value at one of the paths anew; what is not there, or null, stays. `place` is the
 * path with the names of members, and `*` for elements. Where there is nothing to change, it is the same.
 */
export function changed(data: unknown, paths: readonly FieldPath[], change: Change): unknown {
  return paths.reduce((current, path) => changedAt(current, path.split('.'), '', change), data)
}

/** Where a path cannot go on, though something is there: `phones` for `phones.number`, where it is a list. */
export function misfit(data: unknown, path: FieldPath): string | undefined {
  const stuck = (value: unknown, parts: readonly string[], place: string): string | undefined => {
    const [part, ...others] = parts
    if (part === undefined || value === null || value === undefined) return undefined
    if (typeof value !== 'object' || (Array.isArray(value) && part !== '*')) return place === '' ? '/' : place
    const members = part === '*' ? Object.entries(value) : [[part, ownOf(value, part)] as const]
    for (const [name, each] of members) {
      const found = stuck(each, others, below(place, Array.isArray(value) ? '*' : name))
      if (found !== undefined) return found
    }
    return undefined
  }
  return stuck(data, path.split('.'), '')
}

const ownOf = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? value[name as never] : undefined

/** Whether two paths may meet: what is enciphered twice would be deciphered once. */
export function overlap(one: FieldPath, other: FieldPath): boolean {
  const [a, b] = [one.split('.'), other.split('.')]
  return Array.from({ length: Math.min(a.length, b.length) }, (_, index) => index).every(
    (index) => a[index] === b[index] || a[index] === '*' || b[index] === '*',
  )
}

/** All texts and numbers in it, as lower-case texts. */
export function leavesOf(value: unknown): readonly string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value).toLowerCase()]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(leavesOf)
}

function changedAt(value: unknown, parts: readonly string[], place: string, change: Change): unknown {
  const [part, ...others] = parts
  if (part === undefined) return value === null || value === undefined ? value : change(value, place)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value))
    return part === '*' ? value.map((each) => changedAt(each, others, below(place, '*'), change)) : value
  if (part !== '*' && !Object.hasOwn(value, part)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) =>
      part === '*' || part === name
        ? [name, changedAt(each, others, below(place, name), change)]
        : [name, each],
    ),
  )
}

/** All texts in it, each with its place. A copy with what `change` makes of them. */
export function changedTexts(
  value: unknown,
  change: (text: string, place: string) => unknown,
  place = '',
): unknown {
  if (typeof value === 'string') return change(value, place)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((each) => changedTexts(each, change, below(place, '*')))
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, changedTexts(each, change, below(place, name))]),
  )
}

// A name may hold a dot itself: told from those between names, as a JSON Pointer tells its slashes.
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('.', '~1')
const below = (place: string, part: string) => (place === '' ? escaped(part) : `${place}.${escaped(part)}`)

/** Whether a place is one of those that a path stands for. */
export function fits(path: FieldPath, place: string): boolean {
  const [parts, own] = [path.split('.'), place.split('.')]
  return (
    parts.length === own.length && parts.every((part, index) => part === '*' || escaped(part) === own[index])
  )
}
