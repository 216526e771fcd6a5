// A button in a row that does something to what the row is about, once it has been asked whether it should.
import { type ReactNode, useState } from 'react'
import { useDoing } from '../api/asking.js'
import { useMay } from '../frame/session.js'
import { Question } from './dialog.js'

interface RowActProps {
  /** What the button says, and its question begins with. */
  readonly does: string
  /** The one in the row. */
  readonly what: string
  /** What the button of the question does, and to how many. */
  readonly act: string
  readonly harmful?: boolean
  readonly doing: (form: FormData) => Promise<unknown>
  readonly children: ReactNode
}

export function RowAct({ does, what, act, harmful = false, doing, children }: RowActProps) {
  const may = useMay('operate')
  const [asks, setAsks] = useState(false)
  const { run, busy, problem } = useDoing(doing)
  const close = () => setAsks(false)
  return (
    <>
      <button type="button" className="small" disabled={!may} onClick={() => setAsks(true)}>
        {does}…
      </button>
      {asks && (
        <Question
          title={`${does} ${what}`}
          {...{ act, harmful, busy, problem, close }}
          submit={(form) => void run(form).then(close, () => undefined)}
        >
          {children}
        </Question>
      )}
    </>
  )
}
