// Bodies of POST /v1/events that fit not only the document but the definition of their type.
import type { Dice } from '../dice.js'
import { jsonValue, strangeTexts } from '../schema/values.js'
import type { Header } from './case.js'

type Event = Record<string, unknown>

const bodyBytesLarge = [65_000, 66_000, 200_000]

/** Puts data in its place, and ids that make some repeats; in every payload is the text that no log may show. */
export function completed(dice: Dice, event: unknown, canary: string): unknown {
  if (Array.isArray(event)) return event.map((each) => completed(dice, each, canary))
  if (typeof event !== 'object' || event === null) return event
  const { id, source, ...rest } = event as Event
  // The same identity twice within a run, sometimes with the same content, sometimes with another.
  const identity = dice.chance(0.15)
    ? { id: `repeat-${dice.between(1, 50)}`, source: '/fuzz' }
    : { id: id === undefined ? undefined : `fuzz-${dice.between(1, 1e15)}`, source }
  const entries = Object.entries({ ...rest, ...identity, data: dataFor(dice, rest, canary) })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function dataFor(dice: Dice, { type, version }: Event, canary: string): unknown {
  if (type === 'orders.order-placed' && version === 1) return { order: canary, amount: dice.between(1, 9) }
  if (type === 'orders.order-placed')
    return { order: `o-${dice.between(1, 50)}`, quantity: dice.between(1, 9), note: canary }
  if (type === 'orders.order-confirmed') return { order: canary }
  if (type === 'tests.failing')
    return { reason: dice.pick(['transient', 'permanent', dice.pick(strangeTexts)]) }
  if (dice.chance(0.01)) return { canary, large: 'x'.repeat(dice.pick(bodyBytesLarge)) }
  return dice.chance(0.9) ? { canary, value: jsonValue(dice, 4) } : jsonValue(dice, 4)
}

/** A CloudEvent as headers: its data stays in the body. */
export function inHeaders(event: Event): readonly Header[] {
  return Object.entries(event)
    .filter(([name]) => name !== 'data' && name !== 'datacontenttype')
    .map(([name, value]) => [`ce-${name}`, encodeURIComponent(String(value).toWellFormed())])
}
