// Events as they come. The server sends no more than can be looked at, and says how many it leaves out; the browser holds
// the last ones only, and shows what came a few times a second. Paused, it keeps what comes until somebody goes on; and while
// they point into the list or have the focus in it, no row changes under their hand.
import { type RefObject, useEffect, useReducer, useRef, useState } from 'react'
import type { Query } from '../api/client.js'
import { type Followed, useFollowing } from '../api/following.js'
import type { EventView } from '../api/views.js'
import { count } from '../parts/format.js'
import { Moment } from '../parts/moment.js'
import { NotFollowed } from '../parts/not-followed.js'
import { Rows } from '../parts/rows.js'
import { Empty } from '../parts/standing.js'
import { eventColumns } from './event-columns.js'
import { eventsMax, type LeftOut, TailList } from './tail-list.js'

const paintMs = 250

export function Tail({ query }: { readonly query: Query }) {
  const [paused, setPaused] = useState(false)
  const list = useRef<HTMLDivElement>(null)
  const { tail, kept, followed, unreadable } = useTail(query, paused, list)
  const { shown, waiting, came, leftOut, dropped } = tail
  const { state } = followed.following
  return (
    <>
      <div className="actions bar">
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
        <span className="faint" role="status">
          {state !== 'open'
            ? 'Connecting…'
            : paused
              ? 'Paused'
              : unreadable !== undefined
                ? 'Nothing can come'
                : 'Following'}{' '}
          · {count(came)} came
          {leftOut.events > 0 &&
            `, ${leftOut.exact ? '' : 'about '}${count(leftOut.events)} of them left out: faster than they can be shown`}
          {(paused || kept) && waiting > 0 && ` · ${count(waiting)} of them wait to be shown`}
          {dropped > 0 &&
            ` · ${count(dropped)} were never shown: while the list stands still the newest ${count(eventsMax)} are kept`}
          {kept && !paused && ' · the list stands still while you are in it'}
        </span>
      </div>
      <NotFollowed what="What comes" followed={followed} />
      {unreadable !== undefined && <Unreadable since={unreadable} />}
      {shown.length === 0 ? (
        <Empty title="Nothing came yet">What is published from now on is shown here, newest first.</Empty>
      ) : (
        <div ref={list}>
          <Rows
            caption="Events as they come, newest first"
            columns={eventColumns}
            items={shown}
            keyOf={(_, at) => `${at}`}
          />
        </div>
      )}
    </>
  )
}

function Unreadable({ since }: { readonly since: string }) {
  return (
    <div className="not-followed">
      {/* What ticks stands outside of what is read out. */}
      <p role="status">
        <strong>The server cannot read the log.</strong> What is published meanwhile is shown once it can.
      </p>
      <p className="faint">
        Asked in vain for the first time <Moment at={since} />: see whether its database runs and takes
        connections.
      </p>
    </div>
  )
}

interface Tailed {
  readonly tail: TailList
  /** Somebody has a hand on the list. */
  readonly kept: boolean
  readonly followed: Followed
  /** Since when the server cannot read the log; undefined while it can. */
  readonly unreadable: string | undefined
}

function useTail(query: Query, paused: boolean, list: RefObject<HTMLElement | null>): Tailed {
  const [, paint] = useReducer((n: number) => n + 1, 0)
  const [tail] = useState(() => new TailList())
  const [unreadable, setUnreadable] = useState<string>()
  const drawn = useRef({ changed: false, kept: false })
  const followed = useFollowing('/v1/events/tail', { ...query, pace: 'live' }, ({ type, data }) => {
    drawn.current.changed = true
    if (type === 'unreadable') setUnreadable((JSON.parse(data) as { readonly since: string }).since)
    else setUnreadable(undefined)
    if (type === 'left-out') tail.leaveOut(JSON.parse(data) as LeftOut)
    else if (type === 'message') tail.take(JSON.parse(data) as EventView)
  })
  // A stream that is opened anew has read the log.
  const { state } = followed.following
  useEffect(() => setUnreadable(undefined), [state])
  useEffect(() => {
    const timer = setInterval(() => {
      const now = drawn.current
      const due = tail.waiting > 0 && !paused
      if (!now.changed && !now.kept && !due) return
      now.kept = list.current?.matches(':hover, :focus-within') === true
      now.changed = false
      if (!now.kept && !paused) tail.show()
      paint()
    }, paintMs)
    return () => clearInterval(timer)
  }, [tail, paused, list])
  return { tail, kept: drawn.current.kept, followed, unreadable }
}
