// A stream that is not there at the moment: why, and when it is asked for again by itself.
import type { Followed } from '../api/following.js'
import { Moment } from './moment.js'

interface NotFollowedProps {
  /** What it brings, as the begin of a sentence. */
  readonly what: string
  readonly followed: Followed
}

export function NotFollowed({ what, followed: { following, now } }: NotFollowedProps) {
  if (following.state !== 'waiting') return null
  const { problem, againAtMs } = following
  return (
    <div className="not-followed">
      {/* What ticks stands outside of what is read out. */}
      <p role="status">
        {what} cannot be followed. <strong>{problem.title}:</strong> {problem.message}
      </p>
      <p className="faint">
        Asked for again <Moment at={againAtMs} />.{' '}
        <button type="button" className="small" onClick={now}>
          Try now
        </button>
      </p>
    </div>
  )
}
