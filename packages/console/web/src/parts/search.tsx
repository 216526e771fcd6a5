// The fields by which a list is narrowed. What is chosen goes into the address; `/` leads to the first of them.
import { type FormEvent, useId } from 'react'
import { choose, usePlace } from '../route/place.js'

export interface Filter {
  readonly name: string
  readonly label: string
  /** What may stand there, shown while nothing does. */
  readonly placeholder?: string
  /** A list to choose from. Without it any text. */
  readonly options?: readonly string[]
  /** What none of them is called. Default `any`. */
  readonly unchosen?: string
  /** `moment`: chosen in the zone of the one who looks, and in the address in UTC, so that it is the same moment to everybody. */
  readonly type?: 'text' | 'moment'
}

/** `2026-01-31T12:00:00.000Z` of what a field of the browser holds, which has no zone. */
function addressOf({ type }: Filter, written: string): string {
  const at = new Date(written)
  return type !== 'moment' || Number.isNaN(at.getTime()) ? written : at.toISOString()
}

/** What a field of the browser can show of it. */
function fieldOf({ type }: Filter, inAddress: string): string {
  const at = new Date(inAddress)
  if (type !== 'moment' || Number.isNaN(at.getTime())) return inAddress
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000)
    .toISOString()
    .replace(/(:00)?\.000Z$|Z$/, '')
}

interface SearchProps {
  readonly filters: readonly Filter[]
  /** What else narrows the list, without a field: cleared with the others. */
  readonly beside?: readonly string[]
}

export function Search({ filters, beside = [] }: SearchProps) {
  const { params } = usePlace()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const written = (name: string) => String(form.get(name) ?? '').trim()
    choose(
      Object.fromEntries(filters.map((filter) => [filter.name, addressOf(filter, written(filter.name))])),
    )
  }
  const names = [...filters.map(({ name }) => name), ...beside]
  const clear = () => choose(Object.fromEntries(names.map((name) => [name, undefined])))
  const chosen = names.some((name) => params.has(name))
  return (
    // Made anew with the address, so that it shows what is chosen after "back" too.
    <form className="search" onSubmit={submit} key={params.toString()}>
      {filters.map((filter, at) => (
        <One key={filter.name} filter={filter} first={at === 0} value={params.get(filter.name) ?? ''} />
      ))}
      <button type="submit">Search</button>
      {chosen && (
        <button type="button" className="quiet" onClick={clear}>
          Clear
        </button>
      )}
    </form>
  )
}

const inputs = {
  text: { type: 'text' },
  // An address may name a moment to the millisecond.
  moment: { type: 'datetime-local', step: 'any' },
} as const

function One({
  filter,
  first,
  value,
}: {
  readonly filter: Filter
  readonly first: boolean
  readonly value: string
}) {
  const id = useId()
  const { name, label, options, placeholder, unchosen = 'any', type = 'text' } = filter
  const marks = { id, name, defaultValue: fieldOf(filter, value), ...(first ? { 'data-search': '' } : {}) }
  return (
    <span className="search-field">
      <label htmlFor={id}>{label}</label>
      {options === undefined ? (
        <input
          {...marks}
          {...inputs[type]}
          placeholder={placeholder}
          maxLength={500}
          autoComplete="off"
          spellCheck={false}
        />
      ) : (
        <select {...marks}>
          <option value="">{unchosen}</option>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      )}
    </span>
  )
}
