// New data in the place of those of one dead letter: for that letter as it was seen, and with what changed for the audit.
import { EventspineError } from '../kernel/index.js'
import type { DeadLetter, DeadLetterFilter } from '../redrive/index.js'
import type { Store } from '../store/store.js'
import { editedData } from './edited-data.js'

interface Services {
  readonly store: Pick<Store, 'deadLetters'>
}

/** Places that are named in the audit. */
const placesMax = 50

/** What of a redrive is its edit. Throws REQUEST_INVALID where the filter selects none or several, EVENT_INVALID. */
export async function letterEdit(
  services: Services & Parameters<typeof editedData>[0],
  filter: DeadLetterFilter,
  data: unknown,
) {
  const { round, ...chosen } = filter
  const letter = await singleLetter(services, chosen)
  const edited = await editedData(services, letter, data)
  return {
    // By its id: another letter may come to match the filter meanwhile, and would be sent with this one's data.
    filter: { ids: [letter.id], ...(round === undefined ? {} : { round }) },
    editedData: edited,
    changed: changedPlaces(letter.event.data, data),
  }
}

async function singleLetter({ store }: Services, filter: DeadLetterFilter): Promise<DeadLetter> {
  const dead = (await store.deadLetters({ ...filter, state: 'dead', limit: 2 })).items
  // Asked a second time, the letter is on its way already: that is the same redrive, or one that is refused.
  const items = dead.length > 0 ? dead : (await store.deadLetters({ ...filter, limit: 2 })).items
  const [letter] = items
  if (letter !== undefined && items.length === 1) return letter
  const count = letter === undefined ? 'none' : 'several'
  const message = `Edited data needs a filter that selects exactly one dead letter; this one selects ${count}. Use { ids: [id] }.`
  throw new EventspineError('REQUEST_INVALID', message, { field: '/filter' })
}

/** Where two values differ, as JSON Pointers; at most 50. No values: those may be personal, and the audit is kept. */
export function changedPlaces(before: unknown, after: unknown): readonly string[] {
  const places: string[] = []
  compare(before, after, '', places)
  return places
}

function compare(before: unknown, after: unknown, place: string, places: string[]): void {
  if (places.length >= placesMax || Object.is(before, after)) return
  if (!isObject(before) || !isObject(after) || Array.isArray(before) !== Array.isArray(after)) {
    places.push(place)
    return
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const below = `${place}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    compare(before[name], after[name], below, places)
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
