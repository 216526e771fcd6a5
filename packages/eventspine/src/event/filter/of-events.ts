// Patterns over events: beside what every pattern must be, its first names are those of an event. What none has would never match.
import { compileFilter, type Filter } from './compile.js'
import { FilterError, named } from './error.js'

/** Names of EventBridge, and what they are here. */
const otherwise: Readonly<Record<string, string>> = {
  detail: 'data',
  'detail-type': 'type',
  account: 'tenant',
  region: 'source',
  resources: 'subject',
}
/** An attribute of CloudEvents, or an extension, is called so; what is below `data` by any name. */
const attributeForm = /^[A-Za-z0-9]{1,40}$/

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
      continue
    }
    const here = otherwise[name]
    if (here !== undefined)
      throw new FilterError(
        place,
        `is a name of EventBridge, and no attribute of an event here; write "${here}"`,
      )
    if (!attributeForm.test(name))
      throw new FilterError(place, 'is no attribute of an event; what is in its data stands below "data"')
    if (name !== 'data' && !Array.isArray(part))
      throw new FilterError(
        place,
        `has fields, and of an event only "data" has some; write { "data": { "${name}": … } }`,
      )
  }
}
