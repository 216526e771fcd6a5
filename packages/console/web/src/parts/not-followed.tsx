// A stream that is not there at the moment: why, and when it is asked for again by itself.
import type { Followed } from '../api/following.js'
import { Moment } from './moment.js'

interface NotFollowedProps {
  /** What it brings, as the begin of a sentence. */
  readonly what: string
  readonly followed: Followed
}

export function NotFollowed({ what, followed: { following, now } }: NotFollowedProps) {
  if (following.state === 'open' || following.problem === undefined) return null
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
