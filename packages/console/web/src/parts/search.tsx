// The fields by which a list is narrowed. What is chosen goes into the address; `/` leads to the first of them.
import { type FormEvent, useId } from 'react'
import { choose, usePlace } from '../route/place.js'

export interface Filter {
  readonly name: string
  readonly label: string
  /** A list to choose from. Without it any text. */
  readonly options?: readonly string[]
  /** What none of them is called. Default `any`. */
  readonly unchosen?: string
  readonly type?: 'text' | 'datetime-local'
}

export function Search({ filters }: { readonly filters: readonly Filter[] }) {
  const { params } = usePlace()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    choose(Object.fromEntries(filters.map(({ name }) => [name, String(form.get(name) ?? '').trim()])))
  }
  const clear = () => choose(Object.fromEntries(filters.map(({ name }) => [name, undefined])))
  const chosen = filters.some(({ name }) => params.has(name))
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
  const { name, label, options, unchosen = 'any', type = 'text' } = filter
  const marks = { id, name, defaultValue: value, ...(first ? { 'data-search': '' } : {}) }
  return (
    <span className="search-field">
      <label htmlFor={id}>{label}</label>
      {options === undefined ? (
        <input {...marks} type={type} maxLength={500} autoComplete="off" spellCheck={false} />
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
