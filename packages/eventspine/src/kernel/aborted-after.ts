// A limit of time beside somebody else's signal.

/**
 * Aborts when `signal` does, and after `ms` with a `TimeoutError`.
 *
 * Not `AbortSignal.any([signal, AbortSignal.timeout(ms)])`: on Node 20 nothing holds that timeout, and once garbage was
 * collected it never comes (none of 50 came). A listener holds it.
 */
export function abortedAfter(ms: number, signal?: AbortSignal): AbortSignal {
  const late = AbortSignal.timeout(ms)
  if (signal === undefined) return late
  late.addEventListener('abort', () => {}, { once: true })
  return AbortSignal.any([signal, late])
}
