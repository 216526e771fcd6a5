// What an instance sends out with what is recorded of it: events of its code, and stimuli for parent and children.
import type { AnyEventDefinition } from '../event/definition.js'
import type { Cause } from '../event/index.js'
import type { PublishOptions } from '../event/prepare.js'
import type { NewEvent } from '../event/stored.js'
import { ValidationError } from '../handle/index.js'
import { type Clock, EventspineError, type Random } from '../kernel/index.js'
import { jsonOf } from './attempt.js'
import type { Call } from './call.js'
import { uuidAt } from './chance.js'
import { type AnyWorkflow, inputSchemaOf } from './definition.js'
import { MisuseError } from './errors.js'
import { dataOf } from './history.js'
import type { Entry, InstanceName, Parent } from './port.js'
import { stimulus } from './stimulus.js'

export interface ConsequenceServices {
  readonly clock: Clock
  readonly random: Random
  prepare(
    definition: AnyEventDefinition,
    data: unknown,
    options: PublishOptions,
  ): NewEvent | Promise<NewEvent>
  /** Whether the app has a workflow of that name. */
  knows(workflow: string): boolean
  /** Sends a large body to the object store. */
  checkIn(event: NewEvent): Promise<NewEvent>
}

export class Consequences {
  readonly #name: InstanceName
  readonly #parent: Parent | null
  readonly #cause: Cause
  readonly #services: ConsequenceServices

  constructor(name: InstanceName, parent: Parent | null, cause: Cause, services: ConsequenceServices) {
    this.#name = name
    this.#parent = parent
    this.#cause = cause
    this.#services = services
  }

  /** For the outside: the same over attempts, restarts and failover. */
  keyOf({ place }: Call): string {
    const { tenant, workflow, id } = this.#name
    return `${tenant}/${workflow}/${id}/${place}`
  }

  /** The event that the code publishes. Rejects what cannot be stored. */
  async published({ asked, place }: Call): Promise<NewEvent> {
    const { event, data, options } = asked.publication as NonNullable<typeof asked.publication>
    const { tenant } = this.#name
    const prepared = await this.#services.prepare(event, data, { ...options, ...this.#cause, tenant })
    // Its id is that of the call: recorded once, whoever tries.
    return await this.#services.checkIn({ ...prepared, id: uuidAt(this.#name, place) })
  }

  childStarted(call: Call): { readonly event: NewEvent; readonly id: string } {
    const { definition, input } = call.asked.child as NonNullable<Call['asked']['child']>
    if (!this.#services.knows(definition.name))
      throw new MisuseError(
        `ctx.child starts "${definition.name}", which the app does not list; write workflows: [${definition.name}, …] in defineApp`,
      )
    checkInput(definition, input)
    checkId(call.asked.child?.id)
    const name = this.#childOf(call)
    const parent: Parent = { workflow: this.#name.workflow, id: this.#name.id, place: call.place }
    const given = JSON.parse(jsonOf(`the input of child "${definition.name}"`, input) ?? 'null')
    return { event: this.#stimulus(name, 'started', { input: given, parent }), id: name.id }
  }

  childCancelled(call: Call): NewEvent {
    const { workflow, id } = this.#name
    return this.#stimulus(this.#childOf(call), 'cancelled', {
      by: `${workflow} ${id}`,
      reason: 'its parent goes on without it',
      parent: { workflow, id, place: call.place } satisfies Parent,
    })
  }

  #childOf({ asked, name, place }: Call): InstanceName {
    const { tenant, id } = this.#name
    return { tenant, workflow: name, id: asked.child?.id ?? `${id}/${place}` }
  }

  /** Whoever waits for its end. */
  ended(entry: Entry): readonly NewEvent[] {
    if (this.#parent === null) return []
    const { workflow, id, place } = this.#parent
    const { tenant } = this.#name
    const data = { place, workflow: this.#name.workflow, id: this.#name.id, ...dataOf<object>(entry) }
    return [this.#stimulus({ tenant, workflow, id }, 'child-ended', data)]
  }

  #stimulus(name: InstanceName, kind: Parameters<typeof stimulus>[1], data: object): NewEvent {
    return stimulus(name, kind, data, this.#cause, this.#services)
  }
}

/** The input of a new instance as it is kept; null for none. Throws EVENT_INVALID. */
export async function inputJson(definition: AnyWorkflow | undefined, input: unknown): Promise<string | null> {
  const refused = (message: string, cause?: unknown) =>
    new EventspineError('EVENT_INVALID', message, { field: '/input', cause })
  const schema = definition === undefined ? undefined : inputSchemaOf(definition)
  const result = await schema?.['~standard'].validate(input)
  const [issue] = result?.issues ?? []
  if (issue !== undefined)
    throw refused(
      `The input does not fit the schema of workflow "${definition?.name}" version ${definition?.version}: ${issue.message}.`,
    )
  try {
    return jsonOf('input', input)
  } catch (error) {
    throw refused(error instanceof Error ? `${error.message}.` : String(error), error)
  }
}

const idMax = 500

/** Throws ValidationError. */
function checkId(id: string | undefined): void {
  const fits =
    id === undefined || (typeof id === 'string' && /^[^\p{Cc}\p{Cs}]+$/u.test(id) && id.length <= idMax)
  if (!fits)
    throw new ValidationError(
      `The id of a child is a text of 1 to ${idMax} characters without control characters, not ${JSON.stringify(id)?.slice(0, 100)}`,
    )
}

/** Throws ValidationError. An asynchronous schema is asked when the instance begins. */
function checkInput(definition: AnyWorkflow, input: unknown): void {
  const result = inputSchemaOf(definition)?.['~standard'].validate(input)
  if (result === undefined || result instanceof Promise || result.issues === undefined) return
  throw new ValidationError(
    `The input does not fit the schema of workflow "${definition.name}": ${result.issues[0]?.message}`,
  )
}
