// Who is signed in. The key that somebody types, or that came in the address, is exchanged for a session and forgotten.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type FormEvent, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import { get, keepToken, post, remove } from '../api/client.js'
import { Problem } from '../api/problem.js'
import type { SessionView as Seen } from '../api/views.js'
import { Dialog } from '../parts/dialog.js'
import { Refused, Waiting } from '../parts/standing.js'
import { decoded } from '../route/decoded.js'

/** With what its scopes are called. */
type SessionView = Seen & { readonly role: 'viewer' | 'operator' | 'admin' | null }

const place = '/console/session'
/** Of the question who is signed in. */
export const sessionKey = ['session']
const everyMs = 60_000

interface Session extends SessionView {
  readonly leave: () => Promise<void>
  /** To the page that asks for a key. */
  readonly change: () => void
}

const Context = createContext<Session | undefined>(undefined)

export function useSession(): Session {
  const session = useContext(Context)
  if (session === undefined) throw new Error('A page is shown outside of a session.')
  return session
}

export type Right = 'publish' | 'read' | 'operate' | 'admin'

/** Whether the one who looks may do this here. */
export const useMay = (right: Right): boolean => {
  const { scopes, csrf } = useSession()
  return scopes.includes(right) && csrf !== null
}

async function open(presented: string): Promise<void> {
  keepToken((await post<SessionView>(place, { key: presented })).csrf)
}

/** Takes the key of `/console/#key=…` out of the address, before anything else can see it, and opens a session with it.
 *  False when there is none. */
export async function exchangeKey(): Promise<boolean> {
  const { hash, pathname, search } = window.location
  if (!hash.startsWith('#key=')) return false
  window.history.replaceState(null, '', pathname + search)
  const presented = decoded(hash.slice('#key='.length))
  // Refused or not, the page that follows says how it stands.
  await open(presented).catch(() => undefined)
  return true
}

const isEnded = (error: unknown) => error instanceof Problem && error.status === 401

const isRefusal = (action: unknown): action is { readonly error: unknown } =>
  typeof action === 'object' && action !== null && 'type' in action && action.type === 'error'

/** Whether a question or a change was refused since the session has ended, until it is said that there is another. */
function useEnded(): readonly [boolean, (ended: boolean) => void] {
  const queries = useQueryClient()
  const [ended, setEnded] = useState(false)
  useEffect(() => {
    // At the moment of the refusal alone: what was refused once is kept, and speaks up again for other reasons.
    const look = (event: object) => {
      if ('action' in event && isRefusal(event.action) && isEnded(event.action.error)) setEnded(true)
    }
    const changes = queries.getMutationCache()
    const questions = queries.getQueryCache()
    const leave = [changes.subscribe(look), questions.subscribe(look)]
    return () => {
      for (const each of leave) each()
    }
  }, [queries])
  return [ended, setEnded]
}

export function SessionGate({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient()
  const [asks, setAsks] = useState(false)
  const [ended, setEnded] = useEnded()
  const { data, error, refetch } = useQuery<SessionView, Problem>({
    queryKey: sessionKey,
    queryFn: async ({ signal }) => {
      const session = await get<SessionView>(place, {}, signal)
      keepToken(session.csrf)
      return session
    },
    refetchInterval: everyMs,
  })
  // Whoever was last signed in: in development the page goes on without anybody.
  const person = useRef<SessionView>(undefined)
  useEffect(() => {
    if (data === undefined || data.csrf === null) return
    // Before it there was none that could have ended: what was refused then says nothing of this one.
    if (person.current === undefined) setEnded(false)
    person.current = data
  }, [data, setEnded])
  const entered = async () => {
    setAsks(false)
    const before = person.current
    const same = samePerson(before, (await refetch()).data)
    // Whoever signs in again goes on where they were, with all that they wrote. Somebody else begins anew.
    await (same ? queries.invalidateQueries() : queries.resetQueries())
    setEnded(false)
  }
  if (data === undefined && isEnded(error)) return <SignInPage entered={entered} />
  if (data === undefined) {
    return (
      <main className="alone">
        {error === null ? (
          <Waiting again={() => void refetch()} />
        ) : (
          <Refused problem={error} again={() => void refetch()} />
        )}
      </main>
    )
  }
  const leave = async () => {
    await remove(place)
    keepToken(null)
    person.current = undefined
    await queries.resetQueries()
    setEnded(false)
  }
  return (
    <Context value={{ ...data, leave, change: () => setAsks(true) }}>
      {children}
      {asks && !ended && <SignInDialog title="Sign in" entered={entered} close={() => setAsks(false)} />}
      {ended && (
        <SignInDialog title="Your session has ended" entered={entered} close={() => setEnded(false)}>
          <p>Sign in again and go on where you were: nothing that you wrote is lost.</p>
        </SignInDialog>
      )}
    </Context>
  )
}

const samePerson = (before: SessionView | undefined, now: SessionView | undefined) =>
  before !== undefined && before.actor === now?.actor && before.tenant === now.tenant

interface SignInProps {
  readonly entered: () => Promise<void>
  readonly close?: () => void
}

function SignInPage({ entered }: SignInProps) {
  return (
    <main className="alone">
      <h1>Eventspine</h1>
      <SignInForm entered={entered} />
    </main>
  )
}

interface SignInDialogProps extends Required<SignInProps> {
  readonly title: string
  readonly children?: ReactNode
}

function SignInDialog({ title, entered, close, children }: SignInDialogProps) {
  return (
    <Dialog title={title} close={close}>
      {children}
      <SignInForm entered={entered} close={close} />
    </Dialog>
  )
}

function SignInForm({ entered, close }: SignInProps) {
  const [problem, setProblem] = useState<Problem | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const presented = String(new FormData(event.currentTarget).get('key') ?? '').trim()
    open(presented).then(entered, setProblem)
  }
  return (
    <form onSubmit={submit}>
      <p className="field">
        <label htmlFor="key">API key</label>
        <input
          id="key"
          name="key"
          type="password"
          required
          autoComplete="off"
          placeholder="es_…"
          maxLength={200}
        />
        <span className="faint">
          Exchanged for a session of 12 hours and not kept here. In development the start prints one; else an
          admin makes one, or <code>eventspine keys create</code>.
        </span>
      </p>
      {problem !== null && <Refused problem={problem} />}
      <div className="actions">
        <button type="submit" className="primary">
          Sign in
        </button>
        {close !== undefined && (
          <button type="button" onClick={close}>
            Not now
          </button>
        )}
      </div>
    </form>
  )
}
