// The systems by name. Each is loaded only in the process that runs it.
import type { WorkflowSystem, WorkflowSystemName } from './system.js'

export async function workflowSystemOf(name: WorkflowSystemName): Promise<WorkflowSystem> {
  switch (name) {
    case 'eventspine':
      return (await import('./eventspine.js')).eventspine
    case 'dbos':
      return (await import('./dbos.js')).dbos
    case 'restate':
      return (await import('./restate.js')).restateSystem
  }
}
