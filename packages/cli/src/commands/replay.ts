// `eventspine replay`: history delivered again to one subscription and to no other.
import type { Command } from 'commander'
import type { Replay, ReplayPreview } from 'eventspine'
import {
  type Call,
  type Commands,
  nextPage,
  operand,
  type PageFlags,
  pageRequest,
  type ReasonFlags,
  withReason,
} from '../command.js'
import { CommandError, type ExitCode, exitCodes } from '../failure.js'
import { follow } from '../follow.js'
import { momentOf, wholeNumber } from '../input/values.js'
import { notFound, requireSubscription } from '../project/lookup.js'
import type { Session } from '../project/session.js'
import { list, table } from '../screen/table.js'
import { green, red, type Text, yellow } from '../screen/text.js'
import { ago, count, counted, moment } from '../screen/time.js'

interface ReplayFlags {
  readonly from?: Date | 'beginning'
  readonly external?: boolean
  readonly preview?: boolean
  readonly reason?: string
  readonly wait?: boolean
}

const hint = 'List them: eventspine replay list.'

/** Adds the command. */
export function addReplay(program: Command, commands: Commands): void {
  const replay = program
    .command('replay <subscription>')
    .description('deliver history again to one subscription; list, show or stop replays')
    .option('--from <time>', 'beginning, ISO 8601, or so long ago (15m, 2h, 3d) (needed)', fromOf)
    .option('--preview', 'show how much would be delivered, and deliver nothing')
    .option('--external', 'also though its handler may call the world')
    .option('--reason <text>', 'why, for the audit')
    .option('--no-wait', 'return at once instead of following it')
    .action(commands.operation(run))
  replay
    .command('list')
    .description('list replays, newest first')
    .option('--limit <number>', 'so many, at most 500. Default 50', wholeNumber(1, 500))
    .option('--cursor <cursor>', 'go on where a page ended')
    .action(listed(commands))
  for (const [verb, description] of [
    ['show', 'show how far a replay has come'],
    ['stop', 'end a replay where it is'],
  ] as const) {
    const command = replay.command(`${verb} <id>`).description(description)
    if (verb === 'stop') withReason(command)
    command.action(one(commands, verb))
  }
}

const fromOf = (text: string) => (text === 'beginning' ? text : momentOf(text))

async function run(
  session: Session,
  { flags, operands, interruption }: Call<ReplayFlags>,
): Promise<ExitCode | undefined> {
  const { operator, screen, actor } = session
  const subscription = operand(operands)
  const { from, reason } = flags
  if (from === undefined) {
    const message = 'Say from where: --from beginning, or --from 2026-01-31T12:00:00Z.'
    throw new CommandError('REQUEST_INVALID', message, { field: '--from' })
  }
  await requireSubscription(session, subscription)
  if (flags.preview === true) {
    const preview = await operator.previewReplay({ subscription, from })
    screen.answer(preview, () => [previewLine(preview)])
    return undefined
  }
  const external = flags.external === true
  const replay = await operator
    .replay({ subscription, from, actor, external, ...(reason !== undefined && { reason }) })
    .catch(explain)
  const later = session.hint(`replay show ${replay.id}`)
  const hasWorker = (await operator.workers()).length > 0
  if (flags.wait === false || !hasWorker) {
    const why = hasWorker ? 'It goes on in the workers.' : 'No worker is running: it begins when one starts.'
    screen.answer(replay, () => [
      [hasWorker ? green('✓') : yellow('!'), ` Replay ${replay.id}. ${why} See it: ${later}`],
    ])
    return undefined
  }
  const ended = await follow(session, interruption, {
    title: 'replaying',
    subscriptions: [subscription],
    later,
    read: () => operator.replayStatus(replay.id),
    ended: ({ state }) => state !== 'running',
    share: ({ progress }) => progress,
    text: ({ completed, retrying, dead }) =>
      `${count(completed)} done, ${count(retrying)} retrying, ${count(dead)} dead`,
  })
  screen.answer(ended, () => replayLines(ended))
  return ended.state === 'completed' && ended.dead === 0 ? undefined : exitCodes.failed
}

function previewLine({ events, scanned, beyond }: ReplayPreview): string {
  if (beyond === 0) return `${counted(events, 'event')} to deliver.`
  return `At least ${counted(events, 'event')} to deliver, of the first ${count(scanned)} that were looked at. About ${count(beyond)} of all kinds lie behind them.`
}

// The library speaks of its option, a person at the keyboard has a flag.
function explain(error: unknown): never {
  if (!(error instanceof Error && 'code' in error && error.code === 'REPLAY_REFUSED')) throw error
  const message = error.message.replace(/Pass external: true if it may/, 'Add --external if it may')
  throw new CommandError('REPLAY_REFUSED', message, { field: '--external', cause: error })
}

function one(commands: Commands, verb: 'show' | 'stop') {
  return commands.operation<ReasonFlags>(async ({ operator, screen, actor }, { operands, flags }) => {
    const id = operand(operands)
    const found = await operator.replayStatus(id)
    if (found === null) throw notFound('replay', id, hint)
    const replay = verb === 'stop' ? await operator.stopReplay(id, actor, flags.reason) : found
    screen.answer(replay, () => replayLines(replay))
    return undefined
  })
}

function listed(commands: Commands) {
  return commands.operation<PageFlags>(async ({ operator, screen }, { flags }) => {
    const page = await operator.replays(pageRequest(flags))
    screen.answer(page, () => {
      if (page.items.length === 0) return ['Nothing was ever replayed.']
      const right = { align: 'right' } as const
      const columns = [
        { title: 'REPLAY' },
        { title: 'SUBSCRIPTION', widthMin: 12 },
        { title: 'ASKED', optional: true },
        { title: 'STATE' },
        { title: 'PASSED', ...right, optional: true },
        { title: 'DONE', ...right },
        { title: 'DEAD', ...right },
      ]
      const rows = page.items.map((each) => [
        each.id,
        each.subscription,
        ago(each.createdAtMs),
        stateOf(each),
        `${Math.floor(each.progress * 100)} %`,
        count(each.completed),
        count(each.dead),
      ])
      return [...table(columns, rows, screen.width), ...nextPage(page.cursor)]
    })
    return undefined
  })
}

const stateOf = ({ state }: Replay): Text =>
  state === 'completed' ? green(state) : state === 'stopped' ? red(state) : yellow(state)

function replayLines(replay: Replay): Text[] {
  const { id, subscription, state, matched, completed, retrying, dead, fromMs, progress } = replay
  const sign = state === 'running' ? yellow('↻') : state === 'completed' && dead === 0 ? green('✓') : red('✗')
  const facts = list([
    ['replay', id],
    ['state', [stateOf(replay), ` (${Math.floor(progress * 100)} % passed)`]],
    ['from', fromMs === null ? 'the beginning' : moment(fromMs)],
    ['matched', count(matched)],
    ['asked', `${moment(replay.createdAtMs)} by ${replay.actor}`],
    ...(replay.endedAtMs === null ? [] : ([['ended', moment(replay.endedAtMs)]] as const)),
  ])
  const counts = `${count(completed)} done, ${count(retrying)} retrying, ${count(dead)} dead`
  return [[sign, ` ${subscription}: ${counts}`], ...facts.map((line): Text => ['  ', line])]
}
