// The memory store's entry: what a testing kit or a simulation needs of it.
export { createMemoryClaims } from './claim.js'
export { type CallerTransaction, createMemoryStore, type MemoryStore } from './memory-store.js'
export type { MemoryOptions } from './tables.js'
export type { MemoryQuery } from './transaction.js'
