// A button in a row that does something to what the row is about, once it has been asked whether it should.
import { type ReactNode, useState } from 'react'
import { useDoing } from '../api/asking.js'
import type { Right } from '../frame/session.js'
import { Act } from './act.js'
import { Question, Reason } from './dialog.js'

interface RowActProps {
  /** What the button says, and its question begins with. */
  readonly does: string
  /** The one in the row. */
  readonly what: string
  /** What the button of the question does, and to how many. */
  readonly act: string
  readonly harmful?: boolean
  readonly right?: Right
  readonly reasonRequired?: boolean
  readonly doing: (form: FormData) => Promise<unknown>
  readonly children: ReactNode
}

export function RowAct({
  does,
  what,
  act,
  harmful = false,
  right = 'operate',
  reasonRequired = false,
  doing,
  children,
}: RowActProps) {
  const [asks, setAsks] = useState(false)
  const { run, busy, problem } = useDoing(doing)
  const close = () => setAsks(false)
  return (
    <>
      <Act right={right} look="small" act={() => setAsks(true)}>
        {does}…
      </Act>
      {asks && (
        <Question
          title={`${does} ${what}`}
          {...{ act, harmful, busy, problem, close }}
          submit={(form) => void run(form).then(close, () => undefined)}
        >
          {children}
          <Reason required={reasonRequired} />
        </Question>
      )}
    </>
  )
}
