// The events of an app, checked as a whole.
import {
  type AnyEventDefinition,
  isType,
  isVersion,
  reservedPrefix,
  typeRule,
  versionRule,
} from '../event/index.js'
import { overlap, pathFault, pathsMax } from '../personal/index.js'
import { orphanFound } from '../schedule/index.js'
import { webhookEndpointDisabled } from '../webhook/index.js'
import { workflowOverdue } from '../workflow/index.js'

/** Events of the engine that apps may hear of. */
const told: readonly AnyEventDefinition[] = [workflowOverdue, orphanFound, webhookEndpointDisabled]

export function checkEvents(events: readonly AnyEventDefinition[], faults: string[]): void {
  const seen = new Map<string, AnyEventDefinition>()
  for (const event of events) {
    const name = `event "${event.type}" version ${event.version}`
    if (!isType(event.type)) faults.push(`${name}: ${typeRule}`)
    else if (event.type.startsWith(reservedPrefix) && !told.includes(event))
      faults.push(`${name}: types that begin with "${reservedPrefix}" are the engine's own; give it another`)
    if (!isVersion(event.version)) faults.push(`${name}: version ${versionRule}`)
    if (typeof event.schema?.['~standard']?.validate !== 'function')
      faults.push(`${name}: schema must be a Standard Schema, such as z.object({ … }) of zod 4`)
    const id = `${event.type}\n${event.version}`
    if (seen.has(id)) faults.push(`${name} is defined twice; raise the version of the one that changed`)
    seen.set(id, event)
    checkUpcast(event, (message) => faults.push(`${name}: ${message}`))
    checkDowncast(event, (message) => faults.push(`${name}: ${message}`))
    checkPersonal(event, (message) => faults.push(`${name}: ${message}`))
    for (const lambda of ['key', 'subject'] as const)
      if (event[lambda] !== undefined && typeof event[lambda] !== 'function')
        faults.push(`${name}: ${lambda} must be a function; write ${lambda}: (data) => data.id`)
  }
}

function checkPersonal({ personal }: AnyEventDefinition, fault: (message: string) => void): void {
  if (personal === undefined) return
  if (typeof personal.person !== 'function')
    fault('personal.person must be a function; write person: (data) => data.customerId')
  if (Array.isArray(personal.fields))
    return fault(
      `personal.fields says what stands at each place once the person is erased; write { ${personal.fields.map((field) => `${JSON.stringify(field)}: null`).join(', ')} }`,
    )
  const paths = Object.keys(personal.fields ?? {})
  if (paths.length === 0 || paths.length > pathsMax)
    fault(
      `personal.fields has ${paths.length} fields; name 1 to ${pathsMax}, each with what stands for it once the person is erased: { email: null }`,
    )
  for (const path of paths) {
    const wrong = pathFault(path)
    if (wrong !== undefined) fault(`personal.fields: ${wrong}`)
    const other = paths.find((each) => each !== path && overlap(each, path))
    if (other !== undefined) fault(`personal.fields: "${path}" and "${other}" meet; name the outer one alone`)
    if (JSON.stringify(personal.fields[path]) === undefined)
      fault(
        `personal.fields: what stands for "${path}" must be JSON; write null, or a text that its schema takes`,
      )
  }
}

function checkUpcast({ version, upcast }: AnyEventDefinition, fault: (message: string) => void): void {
  const steps = Object.keys(upcast)
  for (const from of steps) {
    if (!/^[1-9]\d*$/.test(from) || Number(from) >= version)
      fault(`upcast ${from} leads nowhere; write { 1: (v1) => v2, … } up to ${version - 1}`)
    else if (typeof upcast[Number(from)] !== 'function')
      fault(`upcast ${from} must be a function; write { ${from}: (old) => … }`)
    else if (Number(from) + 1 < version && !steps.includes(String(Number(from) + 1)))
      fault(
        `upcast ${from} leads to version ${Number(from) + 1}, from which none goes on; add ${Number(from) + 1}: (old) => …`,
      )
  }
}

function checkDowncast({ version, downcast }: AnyEventDefinition, fault: (message: string) => void): void {
  const steps = Object.keys(downcast)
  for (const from of steps) {
    if (!/^[1-9]\d*$/.test(from) || Number(from) > version || Number(from) < 2)
      fault(
        `downcast ${from} leads nowhere; write { ${version}: (v${version}) => v${version - 1}, … } down to 2`,
      )
    else if (typeof downcast[Number(from)] !== 'function')
      fault(`downcast ${from} must be a function; write { ${from}: (newer) => … }`)
    else if (Number(from) < version && !steps.includes(String(Number(from) + 1)))
      fault(`downcast ${from} is never reached; add ${Number(from) + 1}: (newer) => … for the version above`)
  }
}
