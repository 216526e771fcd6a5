// A stream that is not there at the moment: why, and when it is asked for again by itself.
import { useState } from 'react'
import type { Followed } from '../api/following.js'
import { Moment } from './moment.js'
import { Advice, Unanswered, useLate } from './standing.js'

interface NotFollowedProps {
  /** What it brings, as the begin of a sentence. */
  readonly what: string
  readonly followed: Followed
}

export function NotFollowed({ what, followed: { following, now } }: NotFollowedProps) {
  if (following.state === 'open') return null
  if (following.problem === undefined) return <Unconnected />
  const { problem } = following
  const waits = following.state === 'waiting'
  return (
    <div className="not-followed">
      {/* What ticks stands outside of what is read out. */}
      <p role="status">
        {what} cannot be followed. <strong>{problem.title}:</strong> {problem.message}
      </p>
      <p className="faint">
        {waits ? (
          <>
            Asked for again <Moment at={following.againAtMs} />.
          </>
        ) : (
          'Asked for again now.'
        )}{' '}
        <button type="button" className="small" disabled={!waits} onClick={now}>
          Try now
        </button>
      </p>
    </div>
  )
}

/** Asked for the first time, and not answered: said once a person wonders. */
function Unconnected() {
  const late = useLate(true)
  const [sinceMs] = useState(() => Date.now())
  if (!late) return null
  return (
    <div className="not-followed">
      <p>
        <span role="status">It takes long to connect.</span> <Unanswered sinceMs={sinceMs} />
      </p>
      <Advice />
    </div>
  )
}
