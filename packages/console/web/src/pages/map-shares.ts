// What a function completes in a second is counted for all of its types together. Of one of several, its share is that of the events that
// were looked at.
import type { SystemMap } from '../api/system-views.js'

export function inShares(map: SystemMap): SystemMap {
  const into = new Map<string, { ways: number; perSecond: number }>()
  for (const { to, perSecond } of map.edges) {
    const known = into.get(to) ?? { ways: 0, perSecond: 0 }
    into.set(to, { ways: known.ways + 1, perSecond: known.perSecond + perSecond })
  }
  const edges = map.edges.map((edge) => {
    const { ways, perSecond } = into.get(edge.to) ?? { ways: 0, perSecond: 0 }
    if (edge.takenPerSecond === null || ways < 2) return { ...edge, isShare: false }
    const share = perSecond === 0 ? 0 : edge.perSecond / perSecond
    return { ...edge, takenPerSecond: edge.takenPerSecond * share, isShare: true }
  })
  return { ...map, edges }
}
