// Addresses of the console.

export const base = '/console/'

export type Params = Readonly<Record<string, string | undefined>>

/** The address of a page. What is empty is left out. */
export function hrefOf(page: string, params: Params = {}): string {
  const given = Object.entries(params).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const query = new URLSearchParams(given).toString()
  return `${base}${encodeURIComponent(page)}${query === '' ? '' : `?${query}`}`
}
