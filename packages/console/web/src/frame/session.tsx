// Who is signed in. The key that somebody types, or that came in the address, is exchanged for a session and forgotten.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type FormEvent, type ReactNode, useContext, useState } from 'react'
import { get, keepToken, post, remove } from '../api/client.js'
import { Problem } from '../api/problem.js'
import type { SessionView } from '../api/views.js'
import { Refused, Waiting } from '../parts/standing.js'

const place = '/console/session'
const key = ['session']
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

/** Whether the one who looks may do this here. */
export const useMay = (scope: string): boolean => {
  const { scopes, csrf } = useSession()
  return scopes.includes(scope) && csrf !== null
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
  const presented = decodeURIComponent(hash.slice('#key='.length))
  // Refused or not, the page that follows says how it stands.
  await open(presented).catch(() => undefined)
  return true
}

export function SessionGate({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient()
  const [asks, setAsks] = useState(false)
  const { data, error, refetch } = useQuery<SessionView, Problem>({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const session = await get<SessionView>(place, {}, signal)
      keepToken(session.csrf)
      return session
    },
    refetchInterval: everyMs,
  })
  const entered = async () => {
    setAsks(false)
    await queries.resetQueries()
  }
  if (asks || error?.status === 401) {
    const back = asks && error === null ? () => setAsks(false) : undefined
    return <SignIn entered={entered} {...(back === undefined ? {} : { back })} />
  }
  if (data === undefined) {
    return (
      <main className="alone">
        {error === null ? <Waiting /> : <Refused problem={error} again={() => void refetch()} />}
      </main>
    )
  }
  const leave = async () => {
    await remove(place)
    keepToken(null)
    await queries.resetQueries()
  }
  return <Context value={{ ...data, leave, change: () => setAsks(true) }}>{children}</Context>
}

interface SignInProps {
  readonly entered: () => Promise<void>
  readonly back?: () => void
}

function SignIn({ entered, back }: SignInProps) {
  const [problem, setProblem] = useState<Problem | null>(null)
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const presented = String(new FormData(event.currentTarget).get('key') ?? '').trim()
    open(presented).then(entered, setProblem)
  }
  return (
    <main className="alone">
      <h1>Eventspine</h1>
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
            Exchanged for a session of 12 hours and not kept here. In development the start prints one; else
            make one with <code>eventspine keys create</code>.
          </span>
        </p>
        {problem !== null && <Refused problem={problem} />}
        <div className="actions">
          <button type="submit" className="primary">
            Sign in
          </button>
          {back !== undefined && (
            <button type="button" onClick={back}>
              Go on without
            </button>
          )}
        </div>
      </form>
    </main>
  )
}
