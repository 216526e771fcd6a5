// `eventspine schedules`: what comes round, when next, and whether somebody sees to it.
import type { Command } from 'commander'
import type { ScheduleView } from 'eventspine/workflow'
import { type Commands, operand, type ReasonFlags, withReason } from '../command.js'
import type { Session } from '../project/session.js'
import { table } from '../screen/table.js'
import { dim, green, red, type Text } from '../screen/text.js'
import { duration } from '../screen/time.js'

/** One that is due for longer is seen to by nobody. */
const lateMsMax = 60_000

/** Adds the command. */
export function addSchedules(program: Command, commands: Commands): void {
  const list = commands.operation<{ readonly tenant?: string }>(async (session, { flags }) =>
    show(
      session,
      await session.spine.schedules.list(flags.tenant === undefined ? {} : { tenant: flags.tenant }),
    ),
  )
  const schedules = program
    .command('schedules')
    .description('list schedules and reconcilers; have one run now')
    .option('--tenant <name>', 'of one tenant')
    .action(list)
  schedules
    .command('list')
    .description('list schedules and reconcilers')
    .option('--tenant <name>', 'of one tenant')
    .action(list)
  withReason(schedules.command('run <name>'))
    .description('have it run now, once, beside its ticks')
    .action(
      commands.operation<ReasonFlags>(async ({ spine, screen, actor, hint }, { operands, flags }) => {
        const schedule = operand(operands)
        const { id } = await spine.schedules.run(schedule, actor, flags.reason)
        screen.answer({ schedule, event: id }, () => [
          [green('✓'), ` ${schedule} runs now. `, dim(hint(`events show ${id}`))],
        ])
        return undefined
      }),
    )
}

async function show({ screen }: Session, schedules: readonly ScheduleView[]): Promise<undefined> {
  screen.answer({ schedules }, () => {
    if (schedules.length === 0)
      return [
        'The app has no schedule. Write one: schedule({ name, cron, event, data }), in its "schedules".',
      ]
    const columns = [
      { title: 'SCHEDULE' },
      { title: 'CRON' },
      { title: 'TIME ZONE' },
      { title: 'PUBLISHES', widthMin: 12 },
      { title: 'TENANT', widthMin: 6, optional: true },
      { title: 'NEXT' },
      { title: 'LAST RUN' },
    ] as const
    const now = Date.now()
    const rows = schedules.map((each) => [
      each.name,
      each.cron,
      each.timeZone,
      each.event ?? dim('reconciles'),
      each.tenant,
      nextOf(each, now),
      lastOf(each, now),
    ])
    return table(columns, rows, screen.width)
  })
  return undefined
}

function lastOf({ last }: ScheduleView, now: number): Text {
  if (last === null) return dim('none yet')
  const ago = `${duration(Math.max(0, now - last.atMs))} ago: `
  return last.state === 'dead' ? [ago, red(last.state)] : `${ago}${last.state}`
}

function nextOf({ nextAtMs, lateMs }: ScheduleView, now: number): Text {
  if (nextAtMs === null) return dim('not followed yet: start a worker')
  if (lateMs > lateMsMax) return red(`due for ${duration(lateMs)}: no worker follows it`)
  return nextAtMs <= now ? 'now' : `in ${duration(nextAtMs - now)}`
}
