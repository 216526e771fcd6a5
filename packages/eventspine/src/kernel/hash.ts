// The hash that spreads keys over shards. Frozen: a changed value would move keys between shards that hold
// different cursors. `hash.test.ts` holds the vector.

/** 32-bit FNV-1a over UTF-16 code units with a murmur3 finaliser. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
