// What was sent and left before the server answered: it may still be done, so a note of it stays on the page until somebody has
// read what became of it.
import { type Mutation, useQueryClient } from '@tanstack/react-query'
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { Problem, unreachable } from '../api/problem.js'
import { Moment } from './moment.js'
import { Refused } from './standing.js'

/** The newest: a page has no room for more. */
const notesMax = 10

interface Left {
  /** What was asked for, as its question calls it. */
  readonly title: string
  readonly sent: Mutation
}

const Context = createContext<(left: Left) => void>(() => undefined)

/** Around the pages: a note goes with whoever looks from one to the next. */
export function LeftActs({ children }: { readonly children: ReactNode }) {
  const [notes, setNotes] = useState<readonly Left[]>([])
  const leave = useCallback((left: Left) => setNotes((before) => [left, ...before].slice(0, notesMax)), [])
  const forget = (left: Left) => setNotes((before) => before.filter((each) => each !== left))
  return (
    <Context value={leave}>
      {notes.map((left) => (
        <Note key={left.sent.mutationId} left={left} forget={() => forget(left)} />
      ))}
      {children}
    </Context>
  )
}

/** For a question: called when somebody leaves it. `busy`: what it asked for is on its way. */
export function useLeaving(title: string, busy: boolean): () => void {
  const leave = useContext(Context)
  const changes = useQueryClient().getMutationCache()
  const sent = useRef<Mutation>(undefined)
  useEffect(() => {
    // A question stands alone over the page: while it is open nothing else is begun.
    sent.current = busy ? changes.findAll({ status: 'pending' }).at(-1) : undefined
  }, [busy, changes])
  return () => {
    if (sent.current !== undefined) leave({ title, sent: sent.current })
  }
}

interface NoteProps {
  readonly left: Left
  readonly forget: () => void
}

function Note({ left: { title, sent }, forget }: NoteProps) {
  const changes = useQueryClient().getMutationCache()
  const watch = useCallback((changed: () => void) => changes.subscribe(changed), [changes])
  const { status, error, submittedAt } = useSyncExternalStore(watch, () => sent.state)
  return (
    <section className="not-followed" aria-label={`Left: ${title}`}>
      <p role="status">
        <strong>{title}:</strong> {says[status]}
      </p>
      {status === 'error' && <Refused problem={error instanceof Problem ? error : unreachable()} />}
      <p className="faint">
        Sent <Moment at={submittedAt} />.{' '}
        {status !== 'pending' && (
          <button type="button" className="small" onClick={forget}>
            Close
          </button>
        )}
      </p>
    </section>
  )
}

const says: Readonly<Record<Mutation['state']['status'], string>> = {
  idle: 'it was not sent.',
  pending: 'it was sent, and may still be done: the server has not answered. What comes of it is said here.',
  success: 'the server has done it after all.',
  error: 'it came to nothing.',
}
