// What stands where data would: nothing yet, nothing at all, or a refusal.
import type { ReactNode } from 'react'
import type { Asked } from '../api/asking.js'
import type { Problem } from '../api/problem.js'

export function Waiting() {
  return (
    <p className="waiting" role="status">
      Loading…
    </p>
  )
}

/** `children` say what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children !== undefined && <p>{children}</p>}
    </div>
  )
}

export function Refused({ problem, again }: { readonly problem: Problem; readonly again?: () => void }) {
  return (
    <div className="refused" role="alert">
      <p className="refused-title">{problem.title}</p>
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

/** The data, or what stands in its place. What was seen before stays when a later answer is a refusal. */
export function Shown<Answer>({
  asked,
  children,
}: {
  readonly asked: Asked<Answer>
  readonly children: (data: Answer) => ReactNode
}) {
  const { data, problem, again } = asked
  return (
    <>
      {problem !== null && <Refused problem={problem} again={again} />}
      {data === undefined ? problem === null && <Waiting /> : children(data)}
    </>
  )
}
