// API keys and sessions, in memory.
import {
  type AccessPort,
  type StoredKey,
  type StoredSession,
  storedKeysMax,
  withdrawnKeysMax,
} from '../../access/port.js'
import type { MemoryTables } from './tables.js'

export function accessPort(tables: MemoryTables): AccessPort {
  const { apiKeys, consoleSessions } = tables
  const newestFirst = (wanted: (key: StoredKey) => boolean) => [...apiKeys.values()].filter(wanted).reverse()
  const isValid = ({ withdrawn }: StoredKey) => withdrawn === null
  const isOpen = ({ expiresAtMs }: StoredSession) => expiresAtMs > tables.now()
  return {
    async storedKeys() {
      const withdrawn = newestFirst((key) => !isValid(key))
      withdrawn.sort((a, b) => (b.withdrawn?.atMs ?? 0) - (a.withdrawn?.atMs ?? 0))
      return [...newestFirst(isValid), ...withdrawn.slice(0, withdrawnKeysMax)]
    },

    async storeKey(key, { actor, action, target, details }) {
      if (apiKeys.has(key.id) || newestFirst(isValid).length >= storedKeysMax) return false
      apiKeys.set(key.id, { ...key, createdAtMs: tables.now(), createdBy: actor, withdrawn: null })
      tables.audit(actor, action, target, details)
      return true
    },

    async withdrawKey(id, actor, reason) {
      const known = apiKeys.get(id)
      if (known === undefined || !isValid(known)) return null
      const key = { ...known, withdrawn: { atMs: tables.now(), by: actor, reason } }
      apiKeys.set(id, key)
      const { name, scopes, tenant } = key
      tables.audit(actor, 'key.withdraw', id, { name, scopes, tenant, reason })
      return key
    },

    async openSession(tokenHash, session, { lifeMs, sessionsMax }) {
      for (const [hash, row] of consoleSessions) if (!isOpen(row)) consoleSessions.delete(hash)
      const own = [...consoleSessions].filter(([, { keyId }]) => keyId === session.keyId)
      for (const [hash] of own.slice(0, Math.max(0, own.length - sessionsMax + 1)))
        consoleSessions.delete(hash)
      const expiresAtMs = tables.now() + lifeMs
      consoleSessions.set(tokenHash, { ...session, expiresAtMs })
      return expiresAtMs
    },

    async session(tokenHash) {
      const row = consoleSessions.get(tokenHash)
      return row !== undefined && isOpen(row) ? row : null
    },

    async closeSession(tokenHash) {
      consoleSessions.delete(tokenHash)
    },
  }
}
