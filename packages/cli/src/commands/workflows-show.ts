// `eventspine workflows show`: one instance from its start to where it is, a line for each thing that happened.
import type { HistoryEntry, WorkflowDetails } from 'eventspine/workflow'
import { type Call, operand } from '../command.js'
import { notFound } from '../project/lookup.js'
import type { Session } from '../project/session.js'
import { list, table } from '../screen/table.js'
import { bold, cyan, dim, green, red, type Text, yellow } from '../screen/text.js'
import { duration, moment } from '../screen/time.js'
import { visible, visibleJson } from '../screen/visible.js'
import { standing, type VersionsOf, versionsKnown } from './workflows-standing.js'
import { instanceOf, quoted } from './workflows-tenant.js'

const dataCharactersMax = 100

/** The operation of the command. */
export async function showWorkflow(
  { spine, operator, screen, hint }: Session,
  { operands, flags }: Call<{ readonly tenant?: string }>,
): Promise<undefined> {
  const [workflow, id] = [operand(operands), operand(operands, 1)]
  const options = flags.tenant === undefined ? {} : { tenant: flags.tenant }
  const details = await spine.workflows.show(workflow, id, options)
  if (details === null) {
    if (!(await spine.workflows.isAccepted(workflow, id, options)))
      throw notFound('instance', id, `List them: ${hint('workflows list')}.`)
    const { tenant } = spine.workflows.handle(workflow, id, options)
    screen.answer({ workflow, id, tenant }, () => [
      `${workflow} ${id} is to be started, and no worker has taken it up yet.`,
      dim(`Workers: ${hint('workers')}`),
    ])
    return undefined
  }
  const versionsOf = await versionsKnown({ spine, operator })
  screen.answer(details, () => lines(details, versionsOf, screen.width, hint))
  return undefined
}

function lines(
  details: WorkflowDetails,
  versionsOf: VersionsOf,
  width: number,
  hint: Session['hint'],
): Text[] {
  const { workflow, id, version, endedAtMs, attention, output, failure, parent } = details
  // Of its first entry: what is recorded with the end of a short one would have taken no time.
  const startedAtMs = details.history[0]?.atMs ?? details.startedAtMs
  return [
    [bold(`${workflow} ${id}`), dim(` version ${version}`)],
    '',
    ...list([
      ['state', standing(details, versionsOf)],
      ['tenant', details.tenant],
      ['started', moment(startedAtMs)],
      ...(endedAtMs === null ? [] : [['took', duration(endedAtMs - startedAtMs)] as const]),
      ...(details.deadlineAtMs === null ? [] : [['deadline', moment(details.deadlineAtMs)] as const]),
      ...(parent === null ? [] : [['child of', `${parent.workflow} ${parent.id}`] as const]),
      ...(output === undefined ? [] : [['answered', cut(visibleJson(output))] as const]),
      ...(failure === undefined ? [] : [['failed', `${failure.category}: ${failure.message}`] as const]),
    ]).map((line): Text => ['  ', line]),
    '',
    bold('History'),
    ...table(columns, details.history.map(row(startedAtMs)), width - 2).map((line): Text => ['  ', line]),
    ...questionLines(details, hint),
    ...waitLines(details, hint),
    ...(attention === null ? [] : ['', ...attentionLines(details, attention, hint)]),
  ]
}

const questionLines = (details: WorkflowDetails, hint: Session['hint']): Text[] =>
  details.questions.length === 0
    ? []
    : [
        '',
        yellow('It asks'),
        ...details.questions.flatMap(({ approval, question, text, to, dueAtMs }): Text[] => [
          [
            '  ',
            bold(approval),
            dim(` (question ${question})`),
            ...(text === undefined ? [] : [`: ${visibleJson(text)}`]),
            ...(to === undefined ? [] : [dim(` to ${visibleJson(to)}`)]),
            ...(dueAtMs === null ? [] : [dim(`, until ${moment(dueAtMs)}`)]),
          ],
          dim(
            `  Decide: ${hint(`workflows approve ${instanceOf(details)} ${quoted(approval)} --question ${question}`)}, or with --refuse`,
          ),
        ]),
      ]

const waitLines = (details: WorkflowDetails, hint: Session['hint']): Text[] =>
  details.waits.length === 0
    ? []
    : [
        '',
        yellow('It waits for'),
        ...details.waits.map(
          ({ kind, name, key, sinceAtMs, dueAtMs }): Text => [
            `  ${kind} `,
            bold(visible(name)),
            ...(key === undefined ? [] : [` with the key ${visible(key)}`]),
            dim(`, since ${moment(sinceAtMs)}${dueAtMs === null ? '' : `, until ${moment(dueAtMs)}`}`),
          ],
        ),
        ...(details.waits.some(({ kind }) => kind === 'signal')
          ? [dim(`  Send it: ${hint(`workflows signal ${instanceOf(details)} NAME`)}`)]
          : []),
      ]

const retriedLine = (
  { state, by, atMs }: NonNullable<NonNullable<WorkflowDetails['attention']>['retry']>,
  retries: number,
): Text =>
  `Retried by ${by} ${moment(atMs)}${state === 'running' ? ': it runs' : ', and it failed again'}${retries > 1 ? ` (${retries} in all)` : ''}.`

const attentionLines = (
  details: WorkflowDetails,
  { letter, message, retries, retry }: NonNullable<WorkflowDetails['attention']>,
  hint: Session['hint'],
): Text[] => [
  [red('It waits for a person. '), message.split('\n')[0] ?? ''],
  ...message.split('\n').slice(1),
  ...(retry === null ? [] : [retriedLine(retry, retries)]),
  dim(`More: ${hint(`dead show ${letter}`)}`),
  dim(`Again, once it is mended: ${hint(`workflows retry ${instanceOf(details)}`)}`),
]

const columns = [
  { title: 'AFTER', align: 'right' },
  { title: 'CALL' },
  { title: 'WHAT' },
  { title: 'DATA', widthMin: 20 },
] as const

const marks: Readonly<Record<HistoryEntry['kind'], Text>> = {
  started: cyan('▸ started'),
  'step-begun': dim('· begun'),
  'step-failed': yellow('↻ failed'),
  'step-done': green('✓ done'),
  'step-claimed': green('✓ done'),
  'step-dead': red('✗ given up'),
  'timer-set': dim('· timer set'),
  'timer-fired': cyan('▸ timer fired'),
  waiting: yellow('… waits for'),
  asked: yellow('? asked'),
  withdrawn: dim('· taken back'),
  occurred: cyan('▸ event'),
  'event-claimed': cyan('▸ event'),
  signal: cyan('▸ signal'),
  published: green('✓ published'),
  'child-started': cyan('▸ child started'),
  'child-failed': red('✗ child failed'),
  'child-ended': green('✓ child ended'),
  'cancel-requested': yellow('! asked to end'),
  'deadline-passed': red('! deadline passed'),
  compensating: yellow('↻ undoes'),
  'undo-begun': dim('· undo begun'),
  'undo-failed': yellow('↻ undo failed'),
  'undo-done': green('✓ undone'),
  ended: bold('■ ended'),
}

const row =
  (startedAtMs: number) =>
  ({ atMs, place, kind, name, data }: HistoryEntry): Text[] => [
    dim(`+${duration(Math.max(0, atMs - startedAtMs))}`),
    place,
    name === '' ? marks[kind] : [marks[kind], ` ${name}`],
    data === null ? '' : dim(cut(visibleJson(data))),
  ]

const cut = (text: string) =>
  text.length <= dataCharactersMax ? text : `${text.slice(0, dataCharactersMax)} …`
