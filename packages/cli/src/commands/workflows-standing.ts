// How an instance of a workflow stands, in a word.
import type { App } from 'eventspine'
import type { AwaitedApproval, InstanceView } from 'eventspine/workflow'
import { cyan, green, red, type Text, yellow } from '../screen/text.js'
import { ago } from '../screen/time.js'

/** `app`: whose code may not know its version. */
export function standing(instance: InstanceView, app: Pick<App, 'workflows'>): Text {
  const { state, attention, approval, wakeAtMs, version, workflow } = instance
  if (attention !== null) return red('✗ needs attention')
  if (state === 'completed') return green('✓ completed')
  if (instance.endedAtMs === null) {
    const versions = app.workflows.filter(({ name }) => name === workflow).map((each) => each.version)
    if (!versions.includes(version))
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
