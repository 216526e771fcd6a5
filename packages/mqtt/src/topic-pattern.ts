// Topics with names: 'wards/{tenant}/beds/{key}/vitals' is an MQTT filter, and says what stands where in a topic that it matches.
// Topics come from devices: whatever they hold, a match is a match of whole levels, and a named part is never empty.

/** The names in a pattern: `'tenant' | 'key'` of `'wards/{tenant}/beds/{key}'`. */
export type NamesOf<Pattern extends string> = Pattern extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesOf<Rest>
  : never

/** What stands where, by name. Of one of several patterns, one of several shapes. */
export type PartsOf<Pattern extends string> = Pattern extends string
  ? { readonly [Name in NamesOf<Pattern>]: string }
  : never

export interface TopicPattern<Pattern extends string = string> {
  readonly pattern: Pattern
  /** For a broker: `wards/+/beds/+/vitals`. */
  readonly filter: string
  /** Undefined for a topic that it does not match, or where a named part would be empty. */
  match(topic: string): PartsOf<Pattern> | undefined
}

const named = /^\{([A-Za-z][A-Za-z0-9]*)\}$/
const levelsMax = 100

/**
 * Levels are texts, `{name}`, `+` (any, without a name) or, as the last, `#` (this level and all below, and the one above).
 * Throws a TypeError for what no filter can be.
 */
export function topicPattern<const Pattern extends string>(pattern: Pattern): TopicPattern<Pattern> {
  const levels = pattern.split('/')
  check(pattern, levels)
  const names = levels.map((level) => named.exec(level)?.[1])
  const filters = levels.map((level, index) => (names[index] === undefined ? level : '+'))
  return {
    pattern,
    filter: filters.join('/'),
    match(topic) {
      const given = topic.split('/', levelsMax + 1)
      if (!matches(filters, given)) return undefined
      const parts: Record<string, string> = {}
      for (const [index, name] of names.entries()) {
        if (name === undefined) continue
        const part = given[index]
        if (!part) return undefined
        parts[name] = part
      }
      return parts as PartsOf<Pattern>
    },
  }
}

/** Whether a filter with `+` and `#` matches a topic, as MQTT says (section 4.7). */
export const filterMatches = (filter: string, topic: string) =>
  matches(filter.split('/', levelsMax + 1), topic.split('/', levelsMax + 1))

function matches(filters: readonly string[], levels: readonly string[]): boolean {
  // A topic that holds a wildcard is none, and one of too many levels matches nothing.
  if (levels.length > levelsMax || filters.length > levelsMax) return false
  if (levels.some((level) => /[+#\0]/.test(level)) || (levels.length === 1 && levels[0] === '')) return false
  // What a broker says of itself is for those who name it.
  if (levels[0]?.startsWith('$') && (filters[0] === '+' || filters[0] === '#')) return false
  for (const [index, filter] of filters.entries()) {
    // Also the level above: `a/#` matches `a`.
    if (filter === '#') return levels.length >= index
    if (index >= levels.length || (filter !== '+' && filter !== levels[index])) return false
  }
  return filters.length === levels.length
}

function check(pattern: string, levels: readonly string[]): void {
  const fault = (message: string) => {
    throw new TypeError(`Topic pattern ${JSON.stringify(pattern)}: ${message}`)
  }
  if (pattern === '') fault('it is empty; write one such as "wards/{tenant}/beds/{key}/vitals"')
  if (levels.length > levelsMax) fault(`it has ${levels.length} levels; at most ${levelsMax} are matched`)
  const names = levels.flatMap((level) => named.exec(level)?.[1] ?? [])
  const repeated = names.find((name, index) => names.indexOf(name) !== index)
  if (repeated !== undefined) fault(`{${repeated}} stands twice; give each part a name of its own`)
  for (const [index, level] of levels.entries()) {
    if (named.test(level) || level === '+') continue
    if (level === '#' && index === levels.length - 1) continue
    if (/[+#]/.test(level))
      fault(`"${level}": + stands for a whole level, and # for all that follow, as the last`)
    if (/[{}]/.test(level))
      fault(`"${level}": a name is a whole level, of letters and digits, such as {tenant}`)
    if (level.includes('\0')) fault('a topic holds no NUL')
  }
}
