// `eventspine dead show`: one dead letter, and what to do with it.
import type { DeadLetter } from 'eventspine'
import { type Call, operand } from '../command.js'
import { notFound } from '../project/lookup.js'
import type { Session } from '../project/session.js'
import { list } from '../screen/table.js'
import { bold, cyan, dim, red, type Text } from '../screen/text.js'
import { moment } from '../screen/time.js'
import { visibleLines } from '../screen/visible.js'
import { dataLines } from './events-show.js'
import { instanceOf } from './workflows-tenant.js'

const stackLinesMax = 20

/** The operation of the command. */
export async function showLetter(
  { operator, screen, hint }: Session,
  { operands }: Call<object>,
): Promise<undefined> {
  const id = operand(operands)
  const letter = await operator.deadLetter(id)
  if (letter === null) throw notFound('dead letter', id, `List them: ${hint('dead list')}.`)
  screen.answer(letter, () => lines(letter, hint))
  return undefined
}

function lines(letter: DeadLetter, hint: Session['hint']): Text[] {
  const { event, failure } = letter
  return [
    [bold(letter.id), '  ', letter.state === 'dead' ? red('dead') : dim(letter.state)],
    '',
    ...facts(letter).map((line): Text => ['  ', line]),
    '',
    bold('Error'),
    ...visibleLines(failure.message, stackLinesMax).map((line): Text => ['  ', red(line)]),
    ...visibleLines(stackOf(letter), stackLinesMax).map((line): Text => dim(`  ${line}`)),
    '',
    bold('Data'),
    ...(event.claim === null || event.data !== null
      ? dataLines(event.data)
      : [dim(`  kept in the object store, which does not answer it now: ${event.claim}`)]),
    '',
    bold('What to do'),
    ...advice(letter, hint).flatMap(([what, command]): Text[] => [
      `  ${what}`,
      ...(command === '' ? [] : [cyan(`    ${command}`)]),
    ]),
  ]
}

function facts(letter: DeadLetter): Text[] {
  const { event, failure } = letter
  const optional = (name: string, value: string | null): (readonly [string, Text])[] =>
    value === null ? [] : [[name, value]]
  return list([
    ['event', [event.type, dim(` version ${event.version}`)]],
    ['event id', event.id],
    ...optional('key', event.key),
    ['tenant', letter.tenant],
    ['subscription', letter.subscription],
    ['attempts', `${letter.attempts}${letter.round > 0 ? `, redriven ${letter.round} times before` : ''}`],
    ['died', moment(letter.diedAtMs)],
    ['category', `${failure.category}${failure.code === null ? '' : ` (${failure.code})`}`],
    ['fingerprint', failure.fingerprint],
    ...(letter.halts ? ([['key', red('halted: later events of this key wait')]] as const) : []),
    ...optional('resolved by', letter.resolvedBy),
    ...optional('reason', letter.reason),
  ])
}

// The first line of a stack repeats name and message.
function stackOf({ failure }: DeadLetter): string {
  const stack = failure.stack ?? ''
  const at = stack.search(/^\s+at /m)
  return at < 0 ? failure.name : stack.slice(at)
}

const byCategory: Readonly<Record<string, string>> = {
  validation: 'The data or a business rule is at fault: mend the data, then send it.',
  permanent: 'It will fail again as it is: mend the data or the handler first.',
  transient: 'A downstream was away: when it is back, send it again.',
  timeout: 'It took longer than its deadline: look at the downstream, then send it again.',
  processing: 'The handler failed: mend and deploy it, then send it again.',
  unknown: 'The error has no category: look at the stack, then decide.',
}

function instanceAdvice(
  workflow: string,
  id: string,
  { tenant }: DeadLetter,
  hint: Session['hint'],
): (readonly [string, string])[] {
  const of = (verb: string) => hint(`workflows ${verb} ${instanceOf({ workflow, id, tenant })}`)
  return [
    ['It halts an instance of a workflow.', ''],
    ['See what it did:', of('show')],
    ['Once the cause is mended:', of('retry')],
    ['Undo it:', of('cancel')],
    ['End it where it stands:', of('terminate')],
  ]
}

function advice(letter: DeadLetter, hint: Session['hint']): (readonly [string, string])[] {
  const { id, state, event, failure, redrive } = letter
  if (state === 'discarded' || state === 'redriven') return [['Nothing: it is resolved.', '']]
  if (state === 'redriving') return [['It is on its way:', hint(`redrive show ${redrive ?? ''}`)]]
  const instance = /^eventspine\.workflow\.([a-z0-9-]+)\.[a-z-]+$/.exec(event.type)?.[1]
  if (instance !== undefined && event.key !== null) return instanceAdvice(instance, event.key, letter, hint)
  const edit = failure.category === 'validation' || failure.category === 'permanent'
  return [
    [byCategory[failure.category] ?? byCategory.unknown ?? '', ''],
    ['Send it again:', hint(`redrive '${id}'`)],
    ...(edit ? ([['Send it with mended data:', hint(`redrive '${id}' --edit data.json`)]] as const) : []),
    [
      'Send all of its fault:',
      hint(`redrive --subscription ${letter.subscription} --fingerprint ${failure.fingerprint}`),
    ],
    ['Give it up:', hint(`dead discard '${id}' --reason '…'`)],
    ['See what led to it:', hint(`events show '${event.id}'`)],
  ]
}
