// Stands where a handler meets the world in a test: whatever is called through it is written down, in order.

export interface SideEffect {
  readonly name: string
  readonly details: unknown
}

export interface SideEffects {
  /** Writes one down. Throw after it to let the world fail. */
  record(name: string, details?: unknown): void
  readonly all: readonly SideEffect[]
  /** Takes what was written down since the last call. */
  take(): SideEffect[]
}

/** `const world = sideEffects()`: let the fake mailer of your test call `world.record('mail', { to })`. */
export function sideEffects(): SideEffects {
  const all: SideEffect[] = []
  let taken = 0
  return {
    all,
    record: (name, details) => void all.push({ name, details }),
    take: () => {
      const fresh = all.slice(taken)
      taken = all.length
      return fresh
    },
  }
}
