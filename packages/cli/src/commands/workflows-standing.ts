// How an instance of a workflow stands, in a word.
import type { InstanceView } from 'eventspine/workflow'
import { cyan, green, red, type Text, yellow } from '../screen/text.js'
import { ago } from '../screen/time.js'

export function standing({ state, attention, wakeAtMs }: InstanceView): Text {
  if (attention !== null) return red('✗ needs attention')
  if (state === 'completed') return green('✓ completed')
  if (state === 'running')
    return wakeAtMs === null ? cyan('▸ running') : cyan(`▸ sleeps, wakes ${ago(wakeAtMs)}`)
  if (state === 'compensating') return yellow('↻ compensating')
  return state === 'failed' ? red('✗ failed') : yellow(`✓ ${state}`)
}
