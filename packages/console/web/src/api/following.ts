// A stream of the API, followed for as long as somebody looks. Whatever refuses or ends it, it is asked for again by itself,
// after waits that grow to half a minute, and goes on behind the last message that came. The browser's own EventSource
// gives up at the first refusal, and does not say why it was refused.

import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { sessionKey, useSession } from '../frame/session.js'
import { addressOf, type Query, refusalOf } from './client.js'
import { type Message, Messages } from './messages.js'
import { Problem, unreachable } from './problem.js'

const waitMsMin = 1_000
const waitMsMax = 30_000
/** Streams of this server say something at least every 15 s. After so long the connection is dead, and nobody said so. */
const silentMsMax = 45_000

/** How long to wait after so many failures in a row, 1 or more. Shortened by chance, so that many pages that were refused at once
 *  do not come back at once. */
export function waitMsAfter(failures: number, chance = Math.random()): number {
  const whole = Math.min(waitMsMax, waitMsMin * 2 ** (failures - 1))
  return Math.round(whole * (1 - chance / 4))
}

export type Following =
  | { readonly state: 'open' }
  /** `problem`: why it was not there the last time it was asked for. */
  | { readonly state: 'connecting'; readonly problem?: Problem }
  /** It was refused, or has ended. `againAtMs`: when it is asked for by itself, in milliseconds since 1970. */
  | { readonly state: 'waiting'; readonly problem: Problem; readonly againAtMs: number }

export interface Follower {
  readonly message: (message: Message) => void
  readonly standing: (following: Following) => void
}

export class EventStream {
  readonly #path: string
  readonly #query: Query
  readonly #follower: Follower
  readonly #stopped = new AbortController()
  #connection: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #problem: Problem | undefined
  #lastEventId: string | undefined

  constructor(path: string, query: Query, follower: Follower) {
    this.#path = path
    this.#query = query
    this.#follower = follower
  }

  /** Asks for it now, whatever it waits for. Does nothing while it is there, or once it is stopped. */
  start(): void {
    if (this.#connection !== undefined || this.#stopped.signal.aborted) return
    clearTimeout(this.#timer)
    const connection = new AbortController()
    this.#connection = connection
    const problem = this.#problem
    this.#follower.standing({ state: 'connecting', ...(problem !== undefined && { problem }) })
    void this.#read(connection).then(
      () => this.#wait(connection, unreachable()),
      (error: unknown) => this.#wait(connection, error instanceof Problem ? error : unreachable()),
    )
  }

  /** Lets the connection go until it is started again, behind the last message that came. */
  rest(): void {
    clearTimeout(this.#timer)
    this.#connection?.abort()
    this.#connection = undefined
  }

  /** For good. Safe to call twice, or before start. */
  stop(): void {
    this.#stopped.abort()
    this.rest()
  }

  /** Until it ends. Throws the refusal. */
  async #read(connection: AbortController): Promise<void> {
    this.#watch(connection)
    const address = addressOf(this.#path, { ...this.#query, lastEventId: this.#lastEventId })
    const response = await fetch(address, {
      ...{ signal: connection.signal, cache: 'no-store', credentials: 'same-origin' },
      headers: { accept: 'text/event-stream' },
    }).catch(() => Promise.reject(unreachable()))
    if (!response.ok || response.body === null) throw await refusalOf(response)
    this.#failures = 0
    this.#problem = undefined
    this.#follower.standing({ state: 'open' })
    const messages = new Messages()
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await pieces.read().catch(() => Promise.reject(unreachable()))
      if (done || this.#connection !== connection) return
      this.#watch(connection)
      for (const message of messages.take(value)) this.#take(message)
    }
  }

  #take(message: Message): void {
    this.#lastEventId = message.id ?? this.#lastEventId
    this.#follower.message(message)
  }

  #watch(connection: AbortController): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => connection.abort(), silentMsMax)
  }

  #wait(connection: AbortController, problem: Problem): void {
    if (this.#connection !== connection) return
    connection.abort()
    this.#connection = undefined
    // The place may be of a database that is there no more.
    if (problem.status === 400) this.#lastEventId = undefined
    this.#problem = problem
    const ms = waitMsAfter(++this.#failures)
    this.#follower.standing({ state: 'waiting', problem, againAtMs: Date.now() + ms })
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.start(), ms)
  }
}

export interface Followed {
  readonly following: Following
  /** Without waiting any longer. */
  readonly now: () => void
}

/** Follows a stream while the page is there and somebody can see it: a browser has six connections to a server in all (HTTP/1.1), and
 *  as many tabs that follow behind others left none to the one in front. The path and the query are all that it depends on. */
export function useFollowing(path: string, query: Query, message: (message: Message) => void): Followed {
  const queries = useQueryClient()
  const { csrf } = useSession()
  const [following, setFollowing] = useState<Following>({ state: 'connecting' })
  const latest = useRef(message)
  latest.current = message
  const stream = useRef<EventStream>(undefined)
  const asked = JSON.stringify(query)
  useEffect(() => {
    const own = new EventStream(path, JSON.parse(asked) as Query, {
      message: (each) => latest.current(each),
      standing: (now) => {
        setFollowing(now)
        // Then a look at the session says that it has ended, and asks for a key.
        if (now.state === 'waiting' && now.problem.status === 401)
          void queries.invalidateQueries({ queryKey: sessionKey })
      },
    })
    stream.current = own
    const look = () => (document.hidden ? own.rest() : own.start())
    look()
    document.addEventListener('visibilitychange', look)
    return () => {
      document.removeEventListener('visibilitychange', look)
      own.stop()
    }
  }, [path, asked, queries])
  // Whoever has signed in again does not wait.
  useEffect(() => {
    if (csrf !== null && !document.hidden) stream.current?.start()
  }, [csrf])
  return { following, now: () => stream.current?.start() }
}
