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
  const wanted = `${kinds[0]}${entry.name === '' ? '' : ` "${entry.name}"`}`
  const made = call === undefined ? 'makes no such call' : `calls ${printed(call)} there`
  throw new NonDeterminismError(
    [
      `The code of "${who.workflow}" version ${who.version} does not lead where instance ${who.id} has been: at call ${entry.place} its history has ${wanted}, and the code ${made}.`,
      `  history: ${[...new Set(recorded.flatMap(shown))].join(', ')}`,
      `  code:    ${[...calls].map((each) => `${each.place} ${printed(each)}`).join(', ') || 'waits for nothing of its context'}`,
      'Deploy the code that it was started with as this version, and list the changed one with a higher version; then redrive. Code between two calls must not depend on time, chance, or what it reads elsewhere: use ctx.now, ctx.random, or a step.',
    ].join('\n'),
  )
}

const printed = ({ kind, name }: Call) => `${kind}${name === '' ? '' : ` "${name}"`}`

const shown = (entry: Entry) =>
  entry.place === ''
    ? []
    : [
        `${entry.place} ${callsOf[entry.kind]?.[0] ?? entry.kind}${entry.name === '' ? '' : ` "${entry.name}"`}`,
      ]
