// What stands where data would: nothing yet, nothing at all, or a refusal.
import { type ReactNode, useEffect, useState } from 'react'
import type { Asked } from '../api/asking.js'
import type { Problem } from '../api/problem.js'
import { seconds } from './format.js'
import { Moment, useNow } from './moment.js'

/** Most answers are there within a tenth of a second. After this a person wonders. */
const lateMs = 5_000

/** Whether it has been so for so long. */
export function useLate(waits: boolean): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    if (!waits) return
    const timer = setTimeout(() => setLate(true), lateMs)
    return () => {
      clearTimeout(timer)
      setLate(false)
    }
  }, [waits])
  return late
}

/** How long nothing has come: it grows, so it stands outside of what is read out. */
export function Unanswered({ sinceMs }: { readonly sinceMs: number }) {
  const nowMs = useNow()
  const forMs = Math.max(lateMs, nowMs - sinceMs)
  return <>The server has not answered for {seconds(Math.floor(forMs / 1_000))}.</>
}

/** `again`: asks anew. */
export function Waiting({ again }: { readonly again?: () => void }) {
  const late = useLate(true)
  const [sinceMs] = useState(() => Date.now())
  return (
    <div className="waiting">
      <p>
        <span role="status">Loading…{late && ' It takes long.'}</span>{' '}
        {late && <Unanswered sinceMs={sinceMs} />}
      </p>
      {late && <Advice {...(again && { again })} />}
    </div>
  )
}

/** What was seen before is shown, and its successor does not come. */
function Late({ asked: { atMs, again } }: { readonly asked: Asked<unknown> }) {
  return (
    <div className="not-followed" role="status">
      <p>
        <strong>What you see is old:</strong> it came <Moment at={atMs} />, and the server has not answered
        since.
      </p>
      <Advice again={again} />
    </div>
  )
}

export const Advice = ({ again }: { readonly again?: () => void }) => (
  <>
    <p>
      Mostly its database answers it nothing: see whether that runs and takes connections, and whether
      somebody holds a lock (eventspine doctor). It is shown as soon as the answer is there.
    </p>
    {again !== undefined && (
      <button type="button" onClick={again}>
        Ask again
      </button>
    )}
  </>
)

/** `children` say what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children !== undefined && <p>{children}</p>}
    </div>
  )
}

interface RefusedProps {
  readonly problem: Problem
  readonly again?: () => void
  /** What is said of a request that is not valid, where a person wrote what it asks. */
  readonly invalid?: string | undefined
}

export function Refused({ problem, again, invalid }: RefusedProps) {
  const title = problem.code === 'REQUEST_INVALID' ? (invalid ?? problem.title) : problem.title
  return (
    <div className="refused" role="alert">
      <p className="refused-title">{title}</p>
      <p>{problem.message}</p>
      {problem.issues.length > 1 && (
        <ul>
          {problem.issues.map(({ field, message }) => (
            <li key={`${field} ${message}`}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
      <p className="faint">
        {problem.code}
        {problem.instance !== undefined && ` · ${problem.instance}`}
      </p>
      {again !== undefined && problem.status !== 403 && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  )
}

interface ShownProps<Answer> extends Pick<RefusedProps, 'invalid'> {
  readonly asked: Asked<Answer>
  readonly children: (data: Answer) => ReactNode
}

/** The data, or what stands in its place. What was seen before stays when a later answer is a refusal. */
export function Shown<Answer>({ asked, invalid, children }: ShownProps<Answer>) {
  const { data, problem, asking, again } = asked
  const late = useLate(asking) && data !== undefined
  return (
    <>
      {problem !== null && <Refused {...{ problem, again, invalid }} />}
      {late && problem === null && <Late asked={asked} />}
      {data === undefined ? problem === null && <Waiting again={again} /> : children(data)}
    </>
  )
}
