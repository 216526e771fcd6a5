// `eventspine doctor`: is every event accounted for, and what is wrong, with what to do about it. Exit code 1 when the
// books do not balance or a finding is an error.
import type { Command } from 'commander'
import type { DoctorReport, Finding, SubscriptionDiagnosis } from 'eventspine'
import { type Commands } from '../command.js'
import { exitCodes } from '../failure.js'
import { deadOfReplays } from '../screen/dead-of-replays.js'
import { list, table } from '../screen/table.js'
import { bold, cyan, dim, green, red, type Text, wrapped, yellow } from '../screen/text.js'
import { count, counted, duration } from '../screen/time.js'

/** Adds the command. */
export function addDoctor(program: Command, commands: Commands): void {
  const action = commands.operation(async ({ operator, screen }) => {
    const report = await operator.doctor()
    screen.answer(report, () => lines(report, screen.width))
    const balanced = report.subscriptions.every((subscription) => subscription.balanced)
    return report.healthy && balanced ? undefined : exitCodes.failed
  })
  program
    .command('doctor')
    .description('check that every event is accounted for, and what is wrong with this app')
    .action(action)
}

function lines(report: DoctorReport, width: number): Text[] {
  return [
    bold('Every event accounted for?'),
    '',
    ...(report.subscriptions.length === 0
      ? ['No subscription is registered yet: a worker does that when it starts.']
      : [...balance(report.subscriptions, width), '', ...pace(report.subscriptions, width)]),
    '',
    bold('Database'),
    '',
    ...databaseLines(report),
    '',
    bold('Findings'),
    '',
    ...(report.findings.length === 0
      ? [[green('✓'), ' Nothing is wrong.']]
      : report.findings.flatMap((finding) => findingLines(finding, width))),
  ]
}

function balance(subscriptions: readonly SubscriptionDiagnosis[], width: number): Text[] {
  const replayed = deadOfReplays(subscriptions)
  const right = { align: 'right' } as const
  const columns = [
    { title: ' ' },
    { title: 'SUBSCRIPTION', widthMin: 12 },
    { title: 'MATCHED', ...right },
    { title: '= COMPLETED', ...right },
    { title: '+ RETRYING', ...right },
    { title: '+ DEAD', ...right },
    { title: '+ SKIPPED', ...right },
    // Outside of the sum: replays have one of their own.
    ...replayed.columns,
  ]
  const rows = subscriptions.map((each) => [
    each.balanced ? green('✓') : red('✗'),
    each.name,
    count(each.matched),
    `= ${count(each.completed)}`,
    `+ ${count(each.retrying)}`,
    ['+ ', each.dead > 0 ? red(count(each.dead)) : '0'],
    `+ ${count(each.skipped)}`,
    ...replayed.cells(each),
  ])
  return table(columns, rows, width)
}

function pace(subscriptions: readonly SubscriptionDiagnosis[], width: number): Text[] {
  const right = { align: 'right' } as const
  const columns = [
    { title: ' ' },
    { title: 'SUBSCRIPTION', widthMin: 12 },
    { title: 'STATE' },
    { title: 'LEASE', ...right },
    { title: 'BATCH', ...right },
    { title: 'LAG', ...right },
    { title: 'BEHIND', ...right },
  ]
  const rows = subscriptions.map((each) => [
    ' ',
    each.priority === 'alarm' ? [each.name, yellow(' alarm')] : each.name,
    each.state === 'paused' ? yellow('paused') : each.state,
    duration(each.leaseMs),
    counted(each.batchEvents, 'event'),
    `${each.lagExact ? '' : '~'}${counted(each.lagEvents, 'event')}`,
    each.lagEvents === 0 ? dim('–') : duration(each.lagSeconds * 1_000),
  ])
  return table(columns, rows, width)
}

function databaseLines({ database }: DoctorReport): Text[] {
  const { version, schemaVersion, epoch, eventsEstimate, partitionsAhead, oldestTransaction } = database
  const oldest =
    oldestTransaction === null
      ? 'none'
      : `${duration(oldestTransaction.ageSeconds * 1_000)} (${oldestTransaction.application}, process ${oldestTransaction.processId})`
  return list([
    ['PostgreSQL', version],
    ['schema', `version ${schemaVersion}, epoch ${epoch}`],
    ['events', `about ${count(eventsEstimate)}`],
    ['partitions', `${partitionsAhead} made ahead`],
    ['oldest open transaction', oldest],
  ]).map((line) => ['  ', line])
}

const findingColumns = 11

const signs: Readonly<Record<Finding['severity'], Text>> = {
  error: red('✗ error    '),
  warning: yellow('! warning  '),
  info: cyan('i info     '),
}

function findingLines({ severity, subject, message, advice }: Finding, width: number): Text[] {
  const [first = '', ...rest] = wrapped(`${subject}: ${message}`, width - findingColumns)
  const indent = ' '.repeat(findingColumns)
  const advised = wrapped(advice, width - findingColumns - 2)
  return [
    [signs[severity], first],
    ...rest.map((line) => [indent, line]),
    ...advised.map((line, index) => dim(`${indent}${index === 0 ? '→ ' : '  '}${line}`)),
  ]
}
