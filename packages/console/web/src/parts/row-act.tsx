// A button in a row that does something to what the row is about, once it has been asked whether it should. The question stands
// outside of the list: it has a width of its own, and stays when somebody else changes the row or takes it away.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { useDoing } from '../api/asking.js'
import type { Right } from '../frame/session.js'
import { Act } from './act.js'
import { Question, Reason } from './dialog.js'

interface RowActProps {
  /** What the button says, and its question begins with. */
  readonly does: string
  /** The one in the row. */
  readonly what: string
  /** Tells it from all others of its list, where `what` does not. */
  readonly about?: string
  /** How it stands, in a word or two: by that an open question tells what somebody else has changed. */
  readonly stands?: string
  /** False where there is nothing to do: then there is no button. */
  readonly offered?: boolean
  /** What the button of the question does, and to how many. */
  readonly act: string
  readonly harmful?: boolean
  readonly right?: Right
  readonly reasonRequired?: boolean
  readonly doing: (form: FormData) => Promise<unknown>
  readonly children: ReactNode
}

/** What a row says of itself now. */
interface Standing {
  readonly does: string
  readonly stands: string | undefined
  readonly offered: boolean
}

interface Asked {
  readonly about: string
  /** As it was when the button was pressed: what the row is about may change while somebody writes why. */
  readonly given: RowActProps
  /** Undefined when the row is not in the list any more. */
  readonly now: Standing | undefined
}

interface Desk {
  readonly ask: (asked: Asked) => void
  readonly tell: (about: string, now: Standing | undefined) => void
}

const Context = createContext<Desk | undefined>(undefined)

/** Around the page: here the questions of its rows stand. */
export function RowQuestions({ children }: { readonly children: ReactNode }) {
  const [asked, setAsked] = useState<Asked>()
  const desk = useMemo<Desk>(
    () => ({
      ask: setAsked,
      tell: (about, now) => setAsked((open) => (open?.about === about ? { ...open, now } : open)),
    }),
    [],
  )
  return (
    <Context value={desk}>
      {children}
      {asked !== undefined && <RowQuestion asked={asked} close={() => setAsked(undefined)} />}
    </Context>
  )
}

function useDesk(): Desk {
  const desk = useContext(Context)
  if (desk === undefined) throw new Error('A row asks outside of a page.')
  return desk
}

export function RowAct(given: RowActProps) {
  const { does, what, about = what, stands, offered = true, right = 'operate' } = given
  const { ask, tell } = useDesk()
  useEffect(() => {
    tell(about, { does, stands, offered })
    return () => tell(about, undefined)
  }, [tell, about, does, stands, offered])
  if (!offered) return null
  return (
    <Act right={right} look="small" act={() => ask({ about, given, now: { does, stands, offered } })}>
      {does}…
    </Act>
  )
}

function RowQuestion({ asked, close }: { readonly asked: Asked; readonly close: () => void }) {
  const { does, what, act, harmful = false, reasonRequired = false, doing, children } = asked.given
  const { run, busy, problem } = useDoing(doing)
  // The row that the act itself changes is shown before the question is closed.
  const changed = busy ? undefined : changeOf(asked)
  return (
    <Question
      title={`${does} ${what}`}
      {...{ act, harmful, busy, problem, close }}
      ready={changed?.isOver !== true}
      submit={(form) => void run(form).then(close, () => undefined)}
    >
      {children}
      <p role="status" className="changed">
        {changed?.says}
      </p>
      <Reason required={reasonRequired} />
    </Question>
  )
}

interface Change {
  readonly says: string
  /** There is nothing left to do. */
  readonly isOver: boolean
}

/** What became of the row since the question was asked. */
function changeOf({ given, now }: Asked): Change | undefined {
  if (now === undefined)
    return {
      says: 'Somebody else was faster, or it ended by itself: the list does not show it any more. What you do here may come to nothing.',
      isOver: false,
    }
  const isOver = !now.offered || now.does !== given.does
  if (!isOver && now.stands === given.stands) return undefined
  const { stands: before = 'as you see above' } = given
  const says = `It has changed while this question was open: it was ${before}, and is ${now.stands ?? 'not so any more'}.`
  return { says: isOver ? `${says} Nothing is left to do.` : says, isOver }
}
