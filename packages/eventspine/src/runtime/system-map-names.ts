// Which node of the map a subscription or an event of the engine's own belongs to: the workflow, schedule or webhooks that
// it is part of.
import { reservedPrefix } from '../event/index.js'
import type { MappedApp } from './system-map.js'

/** A schedule does; a reconciler only looks. */
const publishes = (timetable: object) => 'event' in timetable

type Owner = readonly [prefix: string, kind: string, names: readonly string[]]

function ownersOf({ workflows, timetables, sources, webhooks }: MappedApp): readonly Owner[] {
  const namesOf = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name)
  return [
    ['workflow-', 'workflow', namesOf(workflows)],
    ['schedule-', 'schedule', namesOf(timetables.filter(publishes))],
    // Their timetables and subscriptions are called alike.
    ['', 'reconciler', namesOf(timetables.filter((each) => !publishes(each)))],
    ['webhooks-', 'webhook', namesOf(webhooks)],
    ['source-', 'source', namesOf(sources)],
  ]
}

/** Its own node, or that of what the engine made it for. */
export function nodeOfSubscription(name: string, app: MappedApp): string {
  const owners = ownersOf(app).flatMap(([prefix, kind, names]) =>
    names
      .filter((each) => name === `${prefix}${each}` || name.startsWith(`${prefix}${each}-`))
      .map((each) => ({ kind, owner: each })),
  )
  // `workflow-ship-again` is the workflow "ship-again" before it is one of "ship".
  const [longest] = owners.sort((a, b) => b.owner.length - a.owner.length)
  if (longest === undefined) return `subscription:${name}`
  return `${longest.kind}:${longest.kind === 'source' ? `/sources/${longest.owner}` : longest.owner}`
}

/** Of an event of the engine's own; undefined where it is of nothing on the map. */
export function nodeOfType(type: string, app: MappedApp): string | undefined {
  const [, family, name = ''] = /^([a-z-]+)\.([^.]+)/.exec(type.slice(reservedPrefix.length)) ?? []
  if (family === 'workflow') return `workflow:${name}`
  if (family !== 'schedule') return undefined
  const own = app.timetables.find((each) => each.name === name)
  return own === undefined ? undefined : `${publishes(own) ? 'schedule' : 'reconciler'}:${name}`
}
