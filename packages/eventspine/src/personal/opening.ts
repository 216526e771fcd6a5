// Opens what is sealed in the body of an event.
import { changedTexts } from './fields.js'
import { keyIdOf, open, type SealingKey } from './seal.js'

export interface Opening {
  /** Where a value belongs, given its place in the data. */
  place(path: string): string
  /** Keys by id: null for one that is destroyed; unknown ones are left out. */
  keys(ids: readonly string[]): Promise<ReadonlyMap<string, SealingKey | null>>
  /** Whether a text under a key that is destroyed was sealed there. Nothing but its place and its key tells any more. */
  belongs(path: string, key: string): boolean
  /** What stands for a value whose key is destroyed. */
  erased(path: string): unknown
}

/** What no key of ours sealed for its place stays as it is: a text like any other. */
export async function openedData(body: string, { place, keys, belongs, erased }: Opening): Promise<string> {
  const data: unknown = JSON.parse(body)
  const ids = new Set<string>()
  changedTexts(data, (text) => {
    const id = keyIdOf(text)
    if (id !== undefined) ids.add(id)
    return text
  })
  const known = await keys([...ids])
  const opened = changedTexts(data, (text, path) => {
    const id = keyIdOf(text)
    const key = id === undefined ? undefined : known.get(id)
    if (id === undefined || key === undefined) return text
    if (key === null) return belongs(path, id) ? erased(path) : text
    const json = open(key, place(path), text)
    return json === undefined ? text : JSON.parse(json)
  })
  return JSON.stringify(opened)
}

/** Where something looks sealed. */
export function sealedPlaces(body: string): readonly string[] {
  const places: string[] = []
  changedTexts(JSON.parse(body), (text, place) => {
    if (keyIdOf(text) !== undefined) places.push(place)
    return text
  })
  return places
}
