// A button that changes something. Who may change nothing sees none of them; who may not do this one is told why.
import { type ReactNode, useId } from 'react'
import { type Right, useMay, useSession } from '../frame/session.js'
import { once } from './held-key.js'

interface ActProps {
  /** What it takes. Default `operate`. */
  readonly right?: Right
  readonly look?: 'primary' | 'harmful' | 'small'
  readonly busy?: boolean
  readonly act: () => void
  readonly children: ReactNode
}

/** Why the one who looks may not do this; undefined when they may. */
export function useWithheld(right: Right): string | undefined {
  const { csrf, scopes } = useSession()
  if (csrf === null) return 'Sign in to operate.'
  if (scopes.includes(right)) return undefined
  return right === 'admin' ? 'This takes a key of the role admin.' : 'Your key may look, and change nothing.'
}

/** Whether anything can be done by hand here, be it withheld: signed in with a key that only looks there is nothing. */
export function useOffersActs(): boolean {
  const { csrf } = useSession()
  return useMay('operate') || csrf === null
}

export function Act({ right = 'operate', look, busy = false, act, children }: ActProps) {
  const withheld = useWithheld(right)
  const offersActs = useOffersActs()
  const id = useId()
  // Nothing of this kind is theirs: a row of dead buttons would only be in the way.
  if (!offersActs && withheld !== undefined) return null
  if (withheld === undefined) {
    return (
      <button type="button" className={look} disabled={busy} onClick={act} onKeyDown={once}>
        {children}
      </button>
    )
  }
  // It keeps the focus, so that whoever does not see it is told as well.
  return (
    <span className="withheld">
      <button type="button" className={look} aria-disabled="true" aria-describedby={id} title={withheld}>
        {children}
      </button>
      <span id={id} className="unseen">
        {withheld}
      </span>
    </span>
  )
}
