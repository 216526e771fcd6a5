// Which subscriptions read an event as an older version than the newest that the app defines, and whether that can be.
import type { Subscription } from '../deliver/subscription.js'
import type { AnyEventDefinition } from '../event/index.js'

/** By type: the version that the subscription reads. Undefined where it reads the newest of all, as most do. */
export function readingsOf(
  on: Subscription['on'],
  events: readonly AnyEventDefinition[],
  fault: (message: string) => void,
): ReadonlyMap<string, AnyEventDefinition> | undefined {
  const read = new Map<string, AnyEventDefinition>()
  for (const interest of on) {
    if (typeof interest === 'string' || interest?.kind !== 'event') continue
    const other = read.get(interest.type)
    if (other === undefined || other.version < interest.version) read.set(interest.type, interest)
  }
  for (const [type, definition] of read) {
    const newest = newestOf(type, events)
    if (newest === undefined || newest.version === definition.version) read.delete(type)
    else checkWayDown(newest, definition, fault)
  }
  return read.size === 0 ? undefined : read
}

const newestOf = (type: string, events: readonly AnyEventDefinition[]) =>
  events.filter((event) => event.type === type).sort((a, b) => b.version - a.version)[0]

function checkWayDown(
  newest: AnyEventDefinition,
  read: AnyEventDefinition,
  fault: (message: string) => void,
): void {
  for (let version = newest.version; version > read.version; version--) {
    if (newest.downcast[version] !== undefined) continue
    fault(
      `it reads version ${read.version} of "${read.type}", and the app defines version ${newest.version}; have it read that one, or add downcast: { ${version}: (v${version}) => v${version - 1} } to version ${newest.version}`,
    )
    return
  }
}
