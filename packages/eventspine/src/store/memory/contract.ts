// Contracts of events in memory.
import type { ContractPort, RegisteredContract } from '../../contract/port.js'
import type { MemoryTables } from './tables.js'

export function contractPort(tables: MemoryTables): ContractPort {
  const all = (types?: readonly string[]): RegisteredContract[] =>
    [...tables.contracts.values()]
      .filter(({ type }) => types === undefined || types.includes(type))
      .sort((a, b) => (a.type === b.type ? a.version - b.version : a.type < b.type ? -1 : 1))
  return {
    contracts: async (types) => all(types),

    async registerContracts(app, types, decide) {
      const decided = decide(all(types))
      const registeredAtMs = tables.now()
      for (const each of decided.written)
        tables.contracts.set(`${each.type}\n${each.version}`, { ...each, app, registeredAtMs })
      if (decided.replacedBy !== null)
        for (const { type, version, fingerprint, schema } of decided.replaced)
          tables.audit(decided.replacedBy, 'contract.replace', `${type} version ${version}`, {
            fingerprint,
            schema,
          })
      return decided
    },
  }
}
