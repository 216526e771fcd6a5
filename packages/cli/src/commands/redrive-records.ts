// `eventspine redrive list|show|stop`: the redrives that were asked for.
import type { Command } from 'commander'
import type { Redrive } from 'eventspine'
import {
  type Commands,
  nextPage,
  operand,
  type PageFlags,
  pageRequest,
  type ReasonFlags,
  withReason,
} from '../command.js'
import { wholeNumber } from '../input/values.js'
import { notFound } from '../project/lookup.js'
import { list, table } from '../screen/table.js'
import { green, red, type Text, yellow } from '../screen/text.js'
import { ago, count, counted, moment } from '../screen/time.js'
import { visibleJson } from '../screen/visible.js'

const hint = 'List them: eventspine redrive list.'

/** Adds the commands below `redrive`. */
export function addRedriveRecords(redrive: Command, commands: Commands): void {
  redrive
    .command('list')
    .description('list redrives, newest first')
    .option('--limit <number>', 'so many, at most 500. Default 50', wholeNumber(1, 500))
    .option('--cursor <cursor>', 'go on where a page ended')
    .action(listed(commands))
  const show = commands.operation(async ({ operator, screen }, { operands }) => {
    const found = await operator.redriveStatus(operand(operands))
    if (found === null) throw notFound('redrive', operand(operands), hint)
    screen.answer(found, () => redriveLines(found))
    return undefined
  })
  redrive.command('show <id>').description('show how far a redrive has come').action(show)
  const stop = commands.operation<ReasonFlags>(async ({ operator, screen, actor }, { operands, flags }) => {
    const id = operand(operands)
    if ((await operator.redriveStatus(id)) === null) throw notFound('redrive', id, hint)
    const stopped = await operator.stopRedrive(id, actor, flags.reason)
    screen.answer(stopped, () => redriveLines(stopped))
    return undefined
  })
  withReason(redrive.command('stop <id>')).description('send no more; what was sent goes on').action(stop)
}

function listed(commands: Commands) {
  return commands.operation<PageFlags>(async ({ operator, screen }, { flags }) => {
    const page = await operator.redrives(pageRequest(flags))
    screen.answer(page, () => {
      if (page.items.length === 0) return ['Nothing was ever redriven.']
      const right = { align: 'right' } as const
      const columns = [
        { title: 'REDRIVE' },
        { title: 'ASKED' },
        { title: 'STATE' },
        { title: 'CHOSEN', ...right },
        { title: 'HOME', ...right },
        { title: 'FAILED', ...right },
        { title: 'ACTOR', widthMin: 8, optional: true },
      ]
      const rows = page.items.map((each) => [
        each.id,
        ago(each.createdAtMs),
        stateOf(each),
        count(each.selected),
        count(each.succeeded),
        count(each.failed),
        each.actor,
      ])
      return [...table(columns, rows, screen.width), ...nextPage(page.cursor)]
    })
    return undefined
  })
}

function stateOf({ state, failed }: Redrive): Text {
  if (state === 'stopped') return red(state)
  if (state !== 'completed') return yellow(state)
  return failed > 0 ? yellow(state) : green(state)
}

/** How one redrive went. */
export function redriveLines(redrive: Redrive): Text[] {
  const { id, state, selected, sent, succeeded, failed, note, reason } = redrive
  const ended = state === 'completed' || state === 'stopped'
  const sign = !ended ? yellow('↻') : state === 'completed' && failed === 0 ? green('✓') : red('✗')
  const optional = (name: string, value: string | null): (readonly [string, Text])[] =>
    value === null ? [] : [[name, value]]
  const facts = list([
    ['redrive', id],
    ['state', stateOf(redrive)],
    ['chosen', `${count(selected)}, ${count(sent)} sent`],
    [
      'limits',
      `${count(redrive.rate)} a second, canary ${redrive.canary}, stops at an error rate of ${redrive.stopAtErrorRate}`,
    ],
    ['filter', visibleJson(redrive.filter)],
    ['asked', `${moment(redrive.createdAtMs)} by ${redrive.actor}`],
    ...(redrive.endedAtMs === null ? [] : ([['ended', moment(redrive.endedAtMs)]] as const)),
    ...optional('edited', redrive.edited ? `by ${redrive.actor}; --json has the data that were sent` : null),
    ...optional('reason', reason),
    ...optional('note', note),
  ])
  const counts = `${counted(succeeded, 'dead letter')} home, ${count(failed)} failed again`
  return [[sign, ` ${counts}`], ...facts.map((line): Text => ['  ', line])]
}
