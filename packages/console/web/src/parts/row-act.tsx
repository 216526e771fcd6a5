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

export function RowAct(given: RowActProps) {
  // As it was when the button was pressed: what the row is about may change while somebody writes why.
  const [asked, setAsked] = useState<RowActProps>()
  return (
    <>
      <Act right={given.right ?? 'operate'} look="small" act={() => setAsked(given)}>
        {given.does}…
      </Act>
      {asked !== undefined && <RowQuestion {...asked} close={() => setAsked(undefined)} />}
    </>
  )
}

function RowQuestion({
  does,
  what,
  act,
  harmful = false,
  reasonRequired = false,
  doing,
  children,
  close,
}: RowActProps & { readonly close: () => void }) {
  const { run, busy, problem } = useDoing(doing)
  return (
    <Question
      title={`${does} ${what}`}
      {...{ act, harmful, busy, problem, close }}
      submit={(form) => void run(form).then(close, () => undefined)}
    >
      {children}
      <Reason required={reasonRequired} />
    </Question>
  )
}
