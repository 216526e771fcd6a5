// Which workflow, and which instance of it, is meant. Apps may share a log: what the store has of an instance is shown and acted
// on by each of them, whoever has the code. Only a start needs the code, for its input.
import { EventspineError } from '../kernel/index.js'
import { type AnyWorkflow, type InstanceName, stimuliOf } from '../workflow/index.js'
import type { App } from './app.js'
import type { Cell } from './cell.js'
import { checked, nameMax, tenantMax } from './workflow-checks.js'
import type { InstanceOptions } from './workflow-options.js'

export interface WorkflowNamesServices {
  readonly app: App
  readonly tenant: string
  cellOf(tenant: string): Cell
}

export class WorkflowNames {
  readonly #services: WorkflowNamesServices

  constructor(services: WorkflowNamesServices) {
    this.#services = services
  }

  /** Its newest version. Throws WORKFLOW_UNKNOWN where this app does not list it. */
  async defined(workflow: AnyWorkflow | string, options: InstanceOptions): Promise<AnyWorkflow> {
    const { workflow: name, tenant } = this.named(workflow, '', options)
    const [found] = this.#services.app.workflows
      .filter((each) => each.name === name)
      .sort((a, b) => b.version - a.version)
    return found ?? this.#refuse(name, await this.#appOf(name, tenant))
  }

  /** Of a workflow that this app lists, or that the store knows. Throws WORKFLOW_UNKNOWN. */
  async known(
    workflow: AnyWorkflow | string,
    id: string,
    options: InstanceOptions = {},
  ): Promise<InstanceName> {
    const name = this.named(workflow, id, options)
    if (!this.isOwn(name)) await this.check(name)
    return name
  }

  /** Throws WORKFLOW_UNKNOWN where nobody has registered such a workflow, and none of its instances is left. */
  async check({ tenant, workflow }: InstanceName): Promise<void> {
    const { store } = this.#services.cellOf(tenant)
    if ((await store.workflows({ tenant, workflow, limit: 1 })).items.length > 0) return
    if ((await this.#appOf(workflow, tenant)) === undefined) this.#refuse(workflow, undefined)
  }

  isOwn({ workflow }: InstanceName): boolean {
    return this.#services.app.workflows.some(({ name }) => name === workflow)
  }

  /** Whether there is such a workflow or not. */
  named(workflow: AnyWorkflow | string, id: string, { tenant }: InstanceOptions): InstanceName {
    return {
      tenant: tenant === undefined ? this.#services.tenant : checked('tenant', tenant, tenantMax),
      workflow: checked('workflow', typeof workflow === 'string' ? workflow : workflow?.name, nameMax),
      id,
    }
  }

  // The one that registered it last, whether it runs now or not.
  async #appOf(workflow: string, tenant: string): Promise<string | undefined> {
    const subscriptions = await this.#services.cellOf(tenant).store.subscriptions()
    return subscriptions.find(({ on }) => on.includes(stimuliOf(workflow)))?.app
  }

  #refuse(workflow: string, other: string | undefined): never {
    const { app } = this.#services
    if (other !== undefined && other !== app.name)
      throw new EventspineError(
        'WORKFLOW_UNKNOWN',
        `Workflow "${workflow}" is one of the app "${other}", which shares this log: its input is checked by that app's code, and "${app.name}" does not have it. Start it from "${other}".`,
      )
    const known = [...new Set(app.workflows.map(({ name }) => name))].join(', ')
    throw new EventspineError(
      'WORKFLOW_UNKNOWN',
      `There is no workflow "${workflow}" in this app, and none on its log. Known here: ${known || 'none'}. List it in defineApp({ workflows: […] }).`,
    )
  }
}
