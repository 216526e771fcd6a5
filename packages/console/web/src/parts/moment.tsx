// A moment: how long ago, with the exact time for whoever hovers or listens.
import { useSyncExternalStore } from 'react'
import { exact, relative } from './format.js'

const tickMs = 1_000
let now = Date.now()
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

// One clock for all moments of a page; it stands still while nobody looks at one.
function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const each of listeners) each()
  }, tickMs)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

export const useNow = (): number => useSyncExternalStore(subscribe, () => now)

/** `at`: milliseconds since 1970, or RFC 3339. Nothing is a dash. */
export function Moment({ at }: { readonly at: number | string | null | undefined }) {
  const nowMs = useNow()
  if (at === null || at === undefined) return <span className="faint">–</span>
  const atMs = typeof at === 'string' ? Date.parse(at) : at
  return (
    <time dateTime={new Date(atMs).toISOString()} title={exact(atMs)}>
      {relative(atMs, nowMs)}
    </time>
  )
}
