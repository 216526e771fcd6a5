// The workflows of an app, checked as a whole.

import type { AnyEventDefinition } from '../event/index.js'
import { retries } from '../handle/index.js'
import type { AnyWorkflow } from '../workflow/index.js'
import { isStart } from './app-values.js'

const daysMax = 3_650
const deadlineMsMax = daysMax * 86_400_000

/** All versions of each, newest first. */
export function versionsOf(workflows: readonly AnyWorkflow[]): readonly (readonly AnyWorkflow[])[] {
  const names = new Set(workflows.map(({ name }) => name))
  return [...names].map((name) =>
    workflows.filter((each) => each.name === name).sort((a, b) => b.version - a.version),
  )
}

/** Those that start them, and those that they wait for. */
export const eventsOf = (workflows: readonly AnyWorkflow[]) =>
  workflows.flatMap(({ on, waitsFor }) => [
    ...(on === undefined ? [] : [on.event]),
    ...(Array.isArray(waitsFor) ? (waitsFor as AnyWorkflow['waitsFor']) : []),
  ])

/** `events`: of the app. */
export function checkWorkflows(
  workflows: readonly AnyWorkflow[],
  events: readonly AnyEventDefinition[],
  faults: string[],
): void {
  const personal = new Set(events.filter((event) => event?.personal !== undefined).map(({ type }) => type))
  const seen = new Set<string>()
  for (const each of workflows) {
    const name = `workflow "${each.name}" version ${each.version}`
    if (seen.has(name)) faults.push(`${name} is defined twice; raise the version of the one that changed`)
    seen.add(name)
    checkWorkflow(each, (message) => faults.push(`${name}: ${message}`))
    checkHistory(each, personal, (message) => faults.push(`${name}: ${message}`))
  }
}

const wholeNumbers = [
  ['version', ({ version }: AnyWorkflow) => version, 1_000_000],
  ['deadlineMs', ({ deadlineMs }: AnyWorkflow) => deadlineMs, deadlineMsMax],
  ['concurrency', ({ concurrency }: AnyWorkflow) => concurrency, 10_000],
  ['shards', ({ shards }: AnyWorkflow) => shards, 1_024],
] as const

// A history is kept as the code made it, and outlives the key of a person.
function checkHistory(
  { on, waitsFor }: AnyWorkflow,
  personal: ReadonlySet<string>,
  fault: (message: string) => void,
): void {
  if (on !== undefined && personal.has(on.event?.type) && on.input === undefined)
    fault(
      `it is started by "${on.event.type}", which has personal data, and its input stays in its history; add input: (event) => … that leaves them out`,
    )
  for (const each of Array.isArray(waitsFor) ? (waitsFor as AnyWorkflow['waitsFor']) : [])
    if (personal.has(each?.type))
      fault(
        `it waits for "${each.type}", which has personal data, and what it waited for stays in its history; publish an event without them for it`,
      )
}

function checkWorkflow(each: AnyWorkflow, fault: (message: string) => void): void {
  const { name, input, on, waitsFor, run, overdue, retry, priority } = each
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,79}$/.test(name))
    fault('a name is lower-case letters, digits and dashes, at most 80 characters, such as "check-out"')
  if (typeof run !== 'function') fault('write run: async (ctx, input) => { … }')
  if (input !== undefined && typeof input?.['~standard']?.validate !== 'function')
    fault('input must be a Standard Schema, such as z.object({ … }) of zod 4')
  if (overdue !== 'alarm' && overdue !== 'cancel')
    fault(`overdue is ${JSON.stringify(overdue)}; write "alarm" or "cancel"`)
  if (priority !== 'alarm' && priority !== 'normal')
    fault(`priority is ${JSON.stringify(priority)}; write "alarm" or "normal"`)
  if (retry !== undefined && typeof retry?.delayMs !== 'function')
    fault(
      `retry must be a policy; write retry: retries.standard({ attemptsMax: ${retries.standard().attemptsMax} })`,
    )
  for (const [option, read, max] of wholeNumbers) {
    const value = read(each)
    if (!Number.isInteger(value) || value < 1 || value > max)
      fault(`${option} is ${String(value)}; write a whole number from 1 to ${max.toLocaleString('en')}`)
  }
  checkAwaited(waitsFor, fault)
  if (on === undefined) return
  if (on.event?.kind !== 'event') fault('on.event takes an event made by defineEvent')
  if (typeof on.id !== 'function')
    fault('on.id says which instance an event starts; write id: (event) => event.data.orderId')
  if (!isStart(on.start)) fault('on.start is "beginning", "now" or a valid Date')
  if (on.input !== undefined && typeof on.input !== 'function')
    fault('on.input must be a function (event) => …')
}

function checkAwaited(waitsFor: AnyWorkflow['waitsFor'], fault: (message: string) => void): void {
  if (!Array.isArray(waitsFor)) return fault('waitsFor must be a list of events; write waitsFor: [orderPaid]')
  for (const event of waitsFor) {
    if (event?.kind !== 'event') fault('waitsFor takes events made by defineEvent')
    else if (event.key === undefined)
      fault(`waits for "${event.type}", which has no key to find it by; add "key: (data) => …" to the event`)
  }
}
