// The object store for large bodies, in memory.
import type { ClaimPort } from '../../append/port.js'
import { type Clock, EventspineError, hash32 } from '../../kernel/index.js'

/** Bodies are kept until `expire`, and are gone with the process. */
export function createMemoryClaims(clock: Clock): ClaimPort {
  const bodies = new Map<string, { readonly body: string; readonly writtenAtMs: number }>()
  const references = new Map<string, string>()
  return {
    async put(tenant, body) {
      const key = JSON.stringify([tenant, body])
      const reference = references.get(key) ?? `memory:${tenant}/${references.size + 1}-${hash32(body)}`
      references.set(key, reference)
      bodies.set(reference, { body, writtenAtMs: clock.now() })
      return reference
    },
    async get(reference) {
      const found = bodies.get(reference)
      if (found === undefined)
        throw new EventspineError('NOT_FOUND', `The body ${reference} is no longer kept.`)
      return found.body
    },
    async expire(timeMs) {
      const expired = [...bodies].filter(([, { writtenAtMs }]) => writtenAtMs < timeMs)
      for (const [reference] of expired) bodies.delete(reference)
      return expired.length
    },
  }
}
