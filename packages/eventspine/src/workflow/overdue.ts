// The alarm of a deadline that passed: an event like any other, for whoever wants to hear of it.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineEvent, reservedPrefix } from '../event/index.js'
import type { NewEvent } from '../event/stored.js'
import type { InstanceName } from './port.js'
import { stimulus } from './stimulus.js'

export interface Overdue {
  readonly workflow: string
  readonly id: string
}

const schema: StandardSchemaV1<Overdue> = {
  '~standard': { version: 1, vendor: 'eventspine', validate: (value) => ({ value: value as Overdue }) },
}

/** `defineSubscription({ name: 'page-me', on: workflowOverdue, priority: 'alarm', handle })`. Once for each instance. */
export const workflowOverdue = defineEvent({
  type: `${reservedPrefix}workflow-overdue`,
  schema,
  key: ({ id }) => id,
  description: 'An instance of a workflow has not ended by its deadline.',
})

export function overdueEvent(name: InstanceName, services: Parameters<typeof stimulus>[4]): NewEvent {
  const { workflow, id } = name
  return { ...stimulus(name, 'overdue', { workflow, id }, undefined, services), type: workflowOverdue.type }
}
