// Patterns over events: beside what every pattern must be, its first names are those of an event. What none has would never match.
import { closest } from '../../kernel/index.js'
import { compileFilter, type Filter } from './compile.js'
import { FilterError, named } from './error.js'

/** Names of EventBridge and of CloudEvents, and what they are here. */
const otherwise: Readonly<Record<string, string>> = {
  detail: 'data',
  'detail-type': 'type',
  account: 'tenant',
  region: 'source',
  resources: 'subject',
  partitionkey: 'key',
  correlationid: 'correlationId',
  causationid: 'causationId',
}
/** As a handler sees an event, and so a filter. */
const attributes = new Set([
  ...['id', 'type', 'version', 'source', 'subject', 'tenant', 'key', 'time', 'data', 'traceparent'],
  ...['correlationId', 'causationId', 'extensions'],
])
/** Those that have fields. */
const objects = new Set(['data', 'extensions'])

/** @throws FilterError as `compileFilter`, and for what no event has. */
export function compileEventFilter(pattern: unknown): Filter {
  const filter = compileFilter(pattern)
  checkNames(filter.pattern, '')
  return filter
}

function checkNames(pattern: object, path: string): void {
  for (const [name, part] of Object.entries(pattern)) {
    const place = named(path, name)
    if (name === '$or') {
      for (const [index, choice] of (part as readonly object[]).entries())
        checkNames(choice, `${place}[${index}]`)
    } else if (!attributes.has(name)) throw new FilterError(place, unknown(name))
    else if (!objects.has(name) && !Array.isArray(part))
      throw new FilterError(
        place,
        `has fields, and of an event only "data" and "extensions" have some; write ${below('data', name)}`,
      )
  }
}

function unknown(name: string): string {
  const here = Object.hasOwn(otherwise, name) ? otherwise[name] : closest(name, attributes)
  const hint = here === undefined ? '' : `"${here}", or `
  return `is no attribute of an event; write ${hint}${below('data', name)} for what is in its data, or ${below('extensions', name)} for an extension attribute`
}

const below = (attribute: string, name: string) => `{ ${attribute}: { ${JSON.stringify(name)}: … } }`
