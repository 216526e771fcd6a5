// Keys of persons, in memory.
import { masterKeysMax, type PersonalKey, type PersonalPort } from '../../personal/port.js'
import type { MemoryTables } from './tables.js'

export function personalPort(tables: MemoryTables): PersonalPort {
  const { personalKeys } = tables
  const all = () => [...personalKeys.values()]
  const ofPerson = (tenant: string, person: string) =>
    all().filter((key) => key.tenant === tenant && key.person === person)
  return {
    async personKey(made, masters) {
      const living = ofPerson(made.tenant, made.person).find(({ wrapped }) => wrapped !== null)
      if (living !== undefined) return living
      if (all().some(({ wrapped, wrappedBy }) => wrapped !== null && !masters.includes(wrappedBy)))
        return null
      const key: PersonalKey = { ...made, createdAtMs: tables.now(), erasedAtMs: null }
      personalKeys.set(key.id, key)
      return key
    },

    personalKeys: async (ids) => all().filter(({ id }) => ids.includes(id)),

    personKeys: async (tenant, person) => ofPerson(tenant, person),

    async erasePerson(tenant, person, { actor, action, target, details }) {
      const living = ofPerson(tenant, person).filter(({ wrapped }) => wrapped !== null)
      for (const key of living) personalKeys.set(key.id, { ...key, wrapped: null, erasedAtMs: tables.now() })
      if (living.length > 0) tables.audit(actor, action, target, details)
      return living.length
    },

    async personEvents(tenant, keys, after, limit) {
      const sealedBy = (extensions: string | null) =>
        (JSON.parse(extensions ?? '{}') as { readonly personalkey?: string }).personalkey ?? ''
      return [...tables.events.values()]
        .flat()
        .filter(
          (event) =>
            event.tenant === tenant && event.seq > after && keys.includes(sealedBy(event.extensions)),
        )
        .sort((a, b) => a.seq - b.seq)
        .slice(0, limit)
    },

    async personalMasters() {
      const living = all().filter(({ wrapped }) => wrapped !== null)
      return [...new Set(living.map(({ wrappedBy }) => wrappedBy))].sort().map((wrappedBy) => {
        const own = living.filter((key) => key.wrappedBy === wrappedBy)
        return { wrappedBy, keys: Math.min(own.length, masterKeysMax) }
      })
    },

    keysWrappedOtherwise: async (wrappedBy, limit) =>
      all()
        .filter((key) => key.wrapped !== null && key.wrappedBy !== wrappedBy)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),

    async rewrapKeys(keys, { actor, action, target, details }) {
      tables.audit(actor, action, target, details)
      for (const { id, wrapped, wrappedBy } of keys) {
        const known = personalKeys.get(id)
        if (known !== undefined && known.wrapped !== null)
          personalKeys.set(id, { ...known, wrapped, wrappedBy })
      }
    },
  }
}
