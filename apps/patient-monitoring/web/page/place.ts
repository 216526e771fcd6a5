// What the address of a page names. One that is not written as addresses are names nothing, and the server says so.

const partInPath = (): string => {
  try {
    return decodeURIComponent(location.pathname.split('/')[2] ?? '')
  } catch {
    return ''
  }
}

/** Of `/wards/{ward}` and what lies below it. */
export const wardInPath = partInPath
/** Of `/beds/{bed}`. */
export const bedInPath = partInPath

/** What the query of the address says of the view; null where it says nothing. */
export const placed = (name: string) => new URLSearchParams(location.search).get(name)

/** Writes it there, in place of what it said; null takes a name away. */
export function place(view: Readonly<Record<string, string | null>>): void {
  const query = new URLSearchParams(location.search)
  for (const [name, value] of Object.entries(view))
    if (value === null) query.delete(name)
    else query.set(name, value)
  const text = query.toString()
  history.replaceState(null, '', `${location.pathname}${text === '' ? '' : `?${text}`}`)
}
