// What a person does with an instance, as the audit has it.
import type { Act } from '../append/index.js'
import type { InstanceName } from '../workflow/index.js'

type Verb = 'approve' | 'refuse' | 'signal' | 'cancel' | 'terminate' | 'restart' | 'retry'

export const actOn = (
  { tenant, workflow, id }: InstanceName,
  verb: Verb,
  actor: string,
  details: Act['details'],
): Act => ({
  actor,
  action: `workflow.${verb}`,
  target: `${workflow} ${id}`,
  details: { tenant, ...details },
})
