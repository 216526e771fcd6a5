// What is recorded and what the code does must be one: where they differ, going on would be guessing.
import { PermanentError } from '../handle/index.js'
import { type Call, callsOf } from './call.js'
import type { Entry, InstanceName } from './port.js'

/** Code and history of an instance lead to different places. It waits for a person. */
export class NonDeterminismError extends PermanentError {}

/** The call that `entry` belongs to. Throws NonDeterminismError. */
export function checkedCall(
  entry: Entry,
  call: Call | undefined,
  who: InstanceName & { readonly version: number },
  recorded: readonly Entry[],
  calls: Iterable<Call>,
): Call {
  const kinds = callsOf[entry.kind] ?? []
  if (call !== undefined && kinds.includes(call.kind) && call.name === entry.name) return call
  const wanted = `${kindOf(entry)}${entry.name === '' ? '' : ` "${entry.name}"`}`
  const made = call === undefined ? 'makes no such call' : `calls ${printed(call)} there`
  throw new NonDeterminismError(
    [
      `The code of "${who.workflow}" version ${who.version} does not lead where instance ${who.id} has been: at call ${entry.place} its history has ${wanted}, and the code ${made}.`,
      `  history: ${[...new Set(recorded.flatMap(shown))].join(', ')}`,
      `  code:    ${[...calls].map((each) => `${each.place} ${printed(each)}`).join(', ') || 'waits for nothing of its context'}`,
      'Deploy the code that it was started with as this version, and list the changed one with a higher version; then retry. Code between two calls must not depend on time, chance, or what it reads elsewhere: use ctx.now, ctx.random, or a step.',
    ].join('\n'),
  )
}

/** What was recorded of a step before it was tried, and what its code says now: money goes by it. Throws NonDeterminismError. */
export function checkPromises(
  entry: Entry,
  call: Call,
  who: InstanceName & { readonly version: number },
): void {
  const { pivot = false, undo } = call.asked.options ?? {}
  const begun = entry.kind === 'step-begun' ? promisesOf(entry) : { pivot: false, undo: false }
  const lost = begun.undo && undo === undefined
  if (begun.pivot === pivot && !lost) return
  const was = lost ? 'a step with an undo' : begun.pivot ? 'the point of no return' : 'no point of no return'
  throw new NonDeterminismError(
    `Step "${call.name}" of "${who.workflow}" version ${who.version} was ${was} when instance ${who.id} came to it, and is not so in this code. Deploy the code that it was started with as this version, and list the changed one with a higher version; then retry.`,
  )
}

/** Nothing is kept of the common case, a step with an undo that is no pivot. */
function promisesOf({ data }: Entry): { readonly pivot: boolean; readonly undo: boolean } {
  if (data === null) return { pivot: false, undo: true }
  const { pivot, undo = false } = JSON.parse(data) as { readonly pivot: boolean; readonly undo?: boolean }
  return { pivot, undo }
}

const printed = ({ kind, name }: Call) => `${kind}${name === '' ? '' : ` "${name}"`}`

/** A timer with a name is that of a signal, an approval or an event, and does not say which. */
const kindOf = ({ kind, name }: Entry) =>
  kind.startsWith('timer-') && name !== '' ? 'wait' : (callsOf[kind]?.[0] ?? kind)

const shown = (entry: Entry) =>
  entry.place === '' ? [] : [`${entry.place} ${kindOf(entry)}${entry.name === '' ? '' : ` "${entry.name}"`}`]
