// Events as they come. The server sends no more than can be looked at, and says how many it leaves out; the browser holds
// the last ones only, and shows what came a few times a second. Paused, it counts what it does not show; and while somebody
// points into the list or has the focus in it, no row changes under their hand.
import { type RefObject, useEffect, useReducer, useRef, useState } from 'react'
import { addressOf, type Query } from '../api/client.js'
import type { EventView } from '../api/views.js'
import { count } from '../parts/format.js'
import { Rows } from '../parts/rows.js'
import { Empty } from '../parts/standing.js'
import { eventColumns } from './event-columns.js'

const eventsMax = 1_000
const paintMs = 250

/** What the server left out since it said so last. */
interface LeftOut {
  readonly events: number
  readonly exact: boolean
}

interface Held {
  /** Newest first. */
  events: readonly EventView[]
  /** Since the last look, oldest first; `eventsMax` at most. */
  fresh: EventView[]
  came: number
  leftOut: number
  exact: boolean
  changed: boolean
  /** Somebody has a hand on the list. */
  kept: boolean
}

const nothing = (): Held => ({
  events: [],
  fresh: [],
  came: 0,
  leftOut: 0,
  exact: true,
  changed: false,
  kept: false,
})

function take(held: Held, event: EventView | undefined): void {
  held.came += 1
  held.changed = true
  if (event === undefined) return
  held.fresh.push(event)
  if (held.fresh.length > eventsMax) held.fresh.shift()
}

function leaveOut(held: Held, { events, exact }: LeftOut): void {
  held.came += events
  held.leftOut += events
  held.exact &&= exact
  held.changed = true
}

function settle(held: Held): void {
  held.events = [...held.fresh.reverse(), ...held.events].slice(0, eventsMax)
  held.fresh = []
  held.changed = false
}

export function Tail({ query }: { readonly query: Query }) {
  const [paused, setPaused] = useState(false)
  const list = useRef<HTMLDivElement>(null)
  const address = addressOf('/v1/events/tail', { ...query, pace: 'live' })
  const { held, connected } = useStream(address, paused, list)
  const { events, came, leftOut, exact, kept } = held
  return (
    <>
      <div className="actions bar">
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <span className="faint" role="status">
          {connected ? (paused ? 'Paused' : 'Following') : 'Connecting…'} · {count(came)} came
          {leftOut > 0 &&
            `, ${exact ? '' : 'about '}${count(leftOut)} of them left out: faster than they can be shown`}
          {kept && !paused && ' · the list stands still while you are in it'}
        </span>
      </div>
      {events.length === 0 ? (
        <Empty title="Nothing came yet">What is published from now on is shown here, newest first.</Empty>
      ) : (
        <div ref={list}>
          <Rows
            caption="Events as they come, newest first"
            columns={eventColumns}
            items={events}
            keyOf={(_, at) => `${at}`}
          />
        </div>
      )}
    </>
  )
}

// The address is all that the stream depends on.
function useStream(
  address: string,
  paused: boolean,
  list: RefObject<HTMLElement | null>,
): { readonly held: Held; readonly connected: boolean } {
  const [connected, setConnected] = useState(false)
  const [, paint] = useReducer((n: number) => n + 1, 0)
  const held = useRef<Held>(nothing())
  const stopped = useRef(false)
  stopped.current = paused
  useEffect(() => {
    const stream = new EventSource(address)
    stream.addEventListener('open', () => setConnected(true))
    stream.addEventListener('error', () => setConnected(false))
    stream.addEventListener('message', ({ data }: MessageEvent<string>) =>
      take(held.current, stopped.current ? undefined : (JSON.parse(data) as EventView)),
    )
    stream.addEventListener('left-out', ({ data }: MessageEvent<string>) =>
      leaveOut(held.current, JSON.parse(data) as LeftOut),
    )
    const timer = setInterval(() => {
      if (!held.current.changed) return
      held.current.kept = list.current?.matches(':hover, :focus-within') === true
      if (!held.current.kept) settle(held.current)
      paint()
    }, paintMs)
    return () => {
      stream.close()
      clearInterval(timer)
    }
  }, [address, list])
  return { held: held.current, connected }
}
