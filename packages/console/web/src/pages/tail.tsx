// Events as they come. The browser holds the last ones only, and shows what came a few times a second, however many
// come; paused, it counts what it does not show.
import { useEffect, useReducer, useRef, useState } from 'react'
import { addressOf, type Query } from '../api/client.js'
import type { EventView } from '../api/views.js'
import { count } from '../parts/format.js'
import { Rows } from '../parts/rows.js'
import { Empty } from '../parts/standing.js'
import { eventColumns } from './event-columns.js'

const eventsMax = 1_000
const paintMs = 250

interface Held {
  readonly events: EventView[]
  came: number
  changed: boolean
}

export function Tail({ query }: { readonly query: Query }) {
  const [paused, setPaused] = useState(false)
  const [connected, setConnected] = useState(false)
  const [, paint] = useReducer((n: number) => n + 1, 0)
  const held = useRef<Held>({ events: [], came: 0, changed: false })
  const stopped = useRef(false)
  stopped.current = paused
  // The address is all that the stream depends on.
  const address = addressOf('/v1/events/tail', query)
  useEffect(() => {
    const stream = new EventSource(address)
    stream.addEventListener('open', () => setConnected(true))
    stream.addEventListener('error', () => setConnected(false))
    stream.addEventListener('message', ({ data }: MessageEvent<string>) => {
      const { current } = held
      current.came += 1
      current.changed = true
      if (stopped.current) return
      current.events.unshift(JSON.parse(data) as EventView)
      current.events.length = Math.min(current.events.length, eventsMax)
    })
    const timer = setInterval(() => {
      if (held.current.changed) paint()
      held.current.changed = false
    }, paintMs)
    return () => {
      stream.close()
      clearInterval(timer)
    }
  }, [address])
  const { events, came } = held.current
  return (
    <>
      <div className="actions bar">
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <span className="faint" role="status">
          {connected ? (paused ? 'Paused' : 'Following') : 'Connecting…'} · {count(came)} came
        </span>
      </div>
      {events.length === 0 ? (
        <Empty title="Nothing came yet">What is published from now on is shown here, newest first.</Empty>
      ) : (
        <Rows
          caption="Events as they come, newest first"
          columns={eventColumns}
          items={[...events]}
          keyOf={({ position }) => `${position.epoch}.${position.seq}`}
        />
      )}
    </>
  )
}
