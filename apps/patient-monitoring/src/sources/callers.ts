// Who calls a route, and for whom they may speak: keys are known by their names.
import { EventspineError } from 'eventspine'
import type { RouteCaller } from 'eventspine/source'
import { faultOfName } from './reading.js'

/** Who needs no key on the machine where the app is developed (`eventspine dev`). */
const developer = 'development (no key)'

/** Throws FORBIDDEN unless the caller has one of these names. */
export function mayOnly(principal: RouteCaller, allowed: readonly string[], what: string): void {
  if (principal.actor === developer || allowed.includes(principal.actor)) return
  throw new EventspineError(
    'FORBIDDEN',
    `The key "${principal.actor}" may not speak for ${what}. Keys are known by their names: ${allowed.join(' or ')}.`,
  )
}

/** Throws REQUEST_INVALID unless each part of a path is a name. */
export function named(params: Readonly<Record<string, string>>): void {
  for (const [part, text] of Object.entries(params)) {
    const fault = faultOfName(text)
    if (fault !== undefined)
      throw new EventspineError('REQUEST_INVALID', `/path/${part} ${fault}.`, { field: `/path/${part}` })
  }
}
