// How an instance of a workflow stands, in a word.
import type { AwaitedApproval, InstanceView } from 'eventspine/workflow'
import type { Session } from '../project/session.js'
import { cyan, green, red, type Text, yellow } from '../screen/text.js'
import { ago } from '../screen/time.js'

/** The versions of a workflow that this app lists; undefined where another app runs it, which alone can tell. */
export type VersionsOf = (workflow: string) => readonly number[] | undefined

/** Of this app, beside others on its log. */
export async function versionsKnown({
  spine,
  operator,
}: Pick<Session, 'spine' | 'operator'>): Promise<VersionsOf> {
  const { name: app, workflows } = spine.app
  const subscriptions = await operator.subscriptions()
  const others = new Set(subscriptions.filter((each) => each.app !== app).map(({ name }) => name))
  return (workflow) => {
    const versions = workflows.filter(({ name }) => name === workflow).map(({ version }) => version)
    return versions.length === 0 && others.has(`workflow-${workflow}`) ? undefined : versions
  }
}

export function standing(instance: InstanceView, versionsOf: VersionsOf): Text {
  const { state, attention, approval, wakeAtMs, version, workflow } = instance
  if (attention !== null) return red('✗ needs attention')
  if (state === 'completed') return green('✓ completed')
  if (instance.endedAtMs === null) {
    const versions = versionsOf(workflow)
    if (versions !== undefined && !versions.includes(version))
      return yellow(
        `! waits for an app with version ${version}; this one has ${versions.join(', ') || 'none'}`,
      )
  }
  if (approval !== null) return yellow(asks(approval))
  if (state === 'running')
    return wakeAtMs === null ? cyan('▸ running') : cyan(`▸ waits until ${ago(wakeAtMs)}`)
  if (state === 'compensating') return yellow('↻ compensating')
  return state === 'failed' ? red('✗ failed') : yellow(`✓ ${state}`)
}

function asks({ name, to, askedAtMs, dueAtMs, open }: AwaitedApproval): string {
  const whom = to === undefined ? '' : ` by ${to}`
  const until = dueAtMs === null ? '' : `, until ${ago(dueAtMs)}`
  const others = open === 1 ? '' : ` (and ${open - 1} more)`
  return `? awaits approval "${name}"${whom}${others}, asked ${ago(askedAtMs)}${until}`
}
