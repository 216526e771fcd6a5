// What somebody has written and not sent: whoever is about to leave it, by a link, by "back", by signing out or by a button of the page,
// is asked once.
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react'
import { hold } from '../route/place.js'
import { Dialog } from './dialog.js'

interface Unsent {
  /** Says that it was sent: nobody is asked any more. */
  readonly sent: () => void
  /** Stands in the page. */
  readonly question: ReactNode
}

/** `isChanged`: there is something to lose. */
export function useUnsent(isChanged: boolean): Unsent {
  const [leave, setLeave] = useState<() => void>()
  const release = useRef<() => void>(undefined)
  useEffect(() => {
    if (!isChanged) return
    release.current = hold((way) => setLeave(() => way))
    return () => release.current?.()
  }, [isChanged])
  const sent = useCallback(() => release.current?.(), [])
  const goes = () => {
    sent()
    leave?.()
  }
  const question = leave !== undefined && <Question stay={() => setLeave(undefined)} leave={goes} />
  return { sent, question }
}

const Question = ({ stay, leave }: { readonly stay: () => void; readonly leave: () => void }) => (
  <Dialog title="Leave what you wrote?" close={stay}>
    <p>It is not sent yet, and lost when you leave it.</p>
    <div className="actions">
      <button type="button" className="primary" onClick={stay}>
        Stay here
      </button>
      <button type="button" className="harmful" onClick={leave}>
        Leave without it
      </button>
    </div>
  </Dialog>
)
