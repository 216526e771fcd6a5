// What the map looks at in the log: its newest events, and of each type that is rare among them its own newest. What another app
// writes by the thousand then hides nothing. Bounded, whatever the log holds.
import { reservedPrefix } from '../event/index.js'
import type { EventHead, InspectPort } from '../inspect/index.js'
import type { Defined } from './system-map-names.js'

/** What was looked at. */
export interface MapSample {
  /** The newest of the log. */
  readonly events: number
  /** When the oldest of those was recorded, in milliseconds since 1970; null without any. */
  readonly fromMs: number | null
  readonly toMs: number
  /** Types that are rare among those, or missing: of each its own newest events were looked at, `typeEventsMax` at most. */
  readonly types: number
  readonly typeEventsMax: number
  /** Types that were too many to be asked for: of these nothing is seen but what is among the newest of the log. */
  readonly typesLeft: number
}

export interface MapLook {
  readonly heads: readonly EventHead[]
  /** Those, and what they came from. */
  readonly byId: ReadonlyMap<string, EventHead>
  readonly sample: MapSample
  /** What one event of this type is, of its events a second. */
  shareOf(type: string): number
}

/** The newest of the log. */
const eventsMax = 1_000
/** Of one type, and what makes it rare: fewer among those. */
const typeEventsMax = 20
/** Types that are asked for: 200 take some 35 ms where the log has 63 partitions. */
const typesMax = 200
/** Causes that are looked up. */
const causesMax = 200

export async function lookAt(store: InspectPort, defined: Defined): Promise<MapLook> {
  const [newest, { atMs: toMs }] = await Promise.all([store.eventHeads(eventsMax), store.tally()])
  // Fewer are the whole log.
  const rare = newest.length < eventsMax ? [] : rareTypes(newest, defined)
  const asked = new Set(rare.slice(0, typesMax))
  const ofTypes = asked.size === 0 ? [] : await store.eventHeadsOf([...asked], typeEventsMax)
  const heads = [...newest.filter(({ type }) => !asked.has(type)), ...ofTypes]
  const byId = new Map([...newest, ...ofTypes].map((head) => [head.id, head]))
  for (const cause of await causesOf(store, ofTypes, byId)) byId.set(cause.id, cause)
  const fromMs = newest.at(-1)?.recordedAtMs ?? null
  const sample = {
    ...{ events: newest.length, fromMs, toMs },
    ...{ types: asked.size, typeEventsMax, typesLeft: rare.length - asked.size },
  }
  return { heads, byId, sample, shareOf: sharesOf(ofTypes, sample) }
}

// Those that are not among them come first: of the others something is known.
function rareTypes(newest: readonly EventHead[], defined: Defined): string[] {
  const counts = new Map(defined.events.map(({ type }) => [type, 0]))
  for (const { type } of newest) counts.set(type, (counts.get(type) ?? 0) + 1)
  return [...counts]
    .filter(([type, count]) => count < typeEventsMax && !type.startsWith(reservedPrefix))
    .sort(([, a], [, b]) => a - b)
    .map(([type]) => type)
}

async function causesOf(
  store: InspectPort,
  heads: readonly EventHead[],
  known: ReadonlyMap<string, EventHead>,
): Promise<readonly EventHead[]> {
  const named = heads.flatMap(({ causationId, publisher }) => (publisher === null ? (causationId ?? []) : []))
  const unknown = [...new Set(named)].filter((id) => !known.has(id)).slice(0, causesMax)
  return unknown.length === 0 ? [] : await store.eventHeadsWith(unknown)
}

// Where a type was asked for, its oldest says how long that looks back: at least over the newest of the log, since it is rare among
// them.
function sharesOf(ofTypes: readonly EventHead[], { fromMs, toMs }: MapSample): (type: string) => number {
  const since = new Map<string, number>()
  for (const { type, recordedAtMs } of ofTypes)
    since.set(type, Math.min(since.get(type) ?? fromMs ?? toMs, recordedAtMs))
  return (type) => {
    const ms = toMs - (since.get(type) ?? fromMs ?? toMs)
    return ms > 0 ? 1_000 / ms : 0
  }
}
