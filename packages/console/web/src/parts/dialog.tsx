// A question over the page, in the browser's own dialog: it keeps the focus, and Escape closes it.
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import type { Problem } from '../api/problem.js'
import { once } from './held-key.js'
import { useLeaving } from './left-acts.js'
import { Refused, Unanswered, useLate } from './standing.js'

interface DialogProps {
  readonly title: string
  readonly close: () => void
  readonly children: ReactNode
}

export function Dialog({ title, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement
    const around = ['tr', '.rows'].map((selector) => before?.closest(selector))
    dialog.current?.showModal()
    // The browser gives the focus back when it closes a dialog, not when that leaves the page.
    return () => giveFocus([before, ...around, document.querySelector('main h1')])
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={close}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  )
}

/** To the first that is still there and takes it: what opened a question may be gone by what was answered, and its row with it. */
function giveFocus(places: readonly (Element | null | undefined)[]): void {
  for (const place of places) {
    if (!(place instanceof HTMLElement) || !place.isConnected) continue
    if (place instanceof HTMLTableRowElement) place.tabIndex = -1
    place.focus()
    if (document.activeElement === place) return
  }
}

interface QuestionProps extends DialogProps {
  /** What the button does, and to how many. */
  readonly act: string
  readonly harmful?: boolean
  readonly ready?: boolean
  readonly busy: boolean
  readonly problem: Problem | null
  readonly submit: (form: FormData) => void
}

/** A dialog with a form: asked once, and it stays open with what went wrong. */
export function Question({
  act,
  harmful = false,
  ready = true,
  busy,
  problem,
  submit,
  ...dialog
}: QuestionProps) {
  const submitted = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    submit(new FormData(event.currentTarget))
  }
  const leaving = useLeaving(dialog.title, busy)
  const leave = () => {
    leaving()
    dialog.close()
  }
  return (
    <Dialog title={dialog.title} close={leave}>
      <form onSubmit={submitted} onKeyDown={once}>
        {dialog.children}
        {problem !== null && <Refused problem={problem} />}
        {busy && <Sent />}
        <div className="actions">
          <button type="submit" className={harmful ? 'harmful' : 'primary'} disabled={busy || !ready}>
            {busy ? 'Working…' : act}
          </button>
          <button type="button" onClick={leave}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  )
}

/** What is asked for is on its way. Nothing while the answer comes as fast as it mostly does. */
function Sent() {
  const late = useLate(true)
  const [sinceMs] = useState(() => Date.now())
  return (
    <>
      <p role="status" className="changed">
        {late &&
          'It was sent. Leave it, and it may still be done: a note on the page then says what came of it.'}
      </p>
      {late && (
        <p className="faint">
          <Unanswered sinceMs={sinceMs} />
        </p>
      )}
    </>
  )
}

interface FieldProps {
  readonly label: string
  readonly name: string
  readonly hint?: string
  readonly type?: string
  readonly value?: string | number
  readonly required?: boolean
  /** What may be chosen instead of typing it. */
  readonly offers?: readonly string[]
  /** Told what stands in it, whenever that changes. */
  readonly changed?: (value: string) => void
  readonly min?: number
  readonly max?: number
  readonly step?: number | 'any'
}

export function Field(props: FieldProps) {
  const { label, name, hint, type = 'text', value, required = false, offers = [], changed, ...limits } = props
  const id = useId()
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...limits}
        {...{ id, name, type, required, defaultValue: value }}
        maxLength={1_000}
        autoComplete="off"
        onChange={({ target }) => changed?.(target.value)}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        {...(offers.length === 0 ? {} : { list: `${id}-offers` })}
      />
      {offers.length > 0 && (
        <datalist id={`${id}-offers`}>
          {offers.map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      )}
      {hint !== undefined && (
        <span id={`${id}-hint`} className="faint">
          {hint}
        </span>
      )}
    </p>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly name: string
  /** Value and what it is called, the first of them chosen. */
  readonly options: readonly (readonly [value: string, says: string])[]
}

export function Choice({ label, name, options }: ChoiceProps) {
  const id = useId()
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} name={name}>
        {options.map(([value, says]) => (
          <option key={value} value={value}>
            {says}
          </option>
        ))}
      </select>
    </p>
  )
}

/** Why, as the audit keeps it: `reasonIn` reads it. */
export const Reason = ({ required = false }: { readonly required?: boolean }) => (
  <Field label="Reason, for the audit" name="reason" required={required} />
)

/** `{ reason }`, or nothing where none was written. */
export function reasonIn(form: FormData): { readonly reason?: string } {
  const reason = written(form, 'reason')
  return reason === undefined ? {} : { reason }
}

/** The text of a field, undefined when it is empty. */
export function written(form: FormData, name: string): string | undefined {
  const value = form.get(name)
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

export function number(form: FormData, name: string): number | undefined {
  const text = written(form, name)
  return text === undefined ? undefined : Number(text)
}
