// `eventspine redrive`: dead letters sent again, after a look at what that means.
import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { DeadLetterFilter, Redrive, RedrivePreview, RedriveRequest } from 'eventspine'
import { type Call, type Commands } from '../command.js'
import { CommandError, type ExitCode, exitCodes } from '../failure.js'
import { follow } from '../follow.js'
import { readJson } from '../input/json.js'
import { addLetterFlags, chosenLetters, type LetterFlags } from '../input/letter-filter.js'
import { numberAbove, wholeNumber } from '../input/values.js'
import { requireFiltered } from '../project/lookup.js'
import type { Session } from '../project/session.js'
import { confirm } from '../screen/confirm.js'
import { dim, green, type Text, yellow } from '../screen/text.js'
import { count, counted } from '../screen/time.js'
import { groupLines } from './dead.js'
import { addRedriveRecords, redriveLines } from './redrive-records.js'

interface RedriveFlags extends LetterFlags {
  readonly all?: boolean
  readonly preview?: boolean
  readonly dryRun?: boolean
  readonly edit?: string
  readonly rate?: number
  readonly canary?: number
  readonly stopAtErrorRate?: number
  readonly roundsMax?: number
  readonly reason?: string
  readonly idempotencyKey?: string
  readonly yes?: boolean
  readonly wait?: boolean
}

/** Adds the command. */
export function addRedrive(program: Command, commands: Commands): void {
  const redrive = addLetterFlags(program.command('redrive [ids...]'))
    .description('send dead letters again; list, show or stop redrives')
    .option('--all', 'every dead letter')
    .option('--preview', 'show what would be sent, and send nothing')
    .option('--dry-run', 'the same')
    .option('--edit <json>', 'new data for a single one: JSON, a file, or - for standard input')
    .option(
      '--rate <number>',
      'send so many a second, at most; the subscription handles them as it can. Default 50',
      numberAbove(0, 1_000),
    )
    .option(
      '--canary <number>',
      'so many go first, the rest when they ended well. Default 10',
      wholeNumber(0, 10_000),
    )
    .option(
      '--stop-at-error-rate <share>',
      'stop when this share fails again. Default 0.5',
      numberAbove(0, 1),
    )
    .option(
      '--rounds-max <number>',
      'leave alone what was redriven so often. Default 3',
      wholeNumber(1, 1_000),
    )
    .option('--reason <text>', 'why, for the audit')
    .option('--idempotency-key <key>', 'asking twice with the same key is one redrive')
    .option('--yes', 'do not ask')
    .option('--no-wait', 'return at once instead of following it')
    .action(commands.operation(run))
  addRedriveRecords(redrive, commands)
}

async function run(session: Session, call: Call<RedriveFlags>): Promise<ExitCode | undefined> {
  const { operator, screen } = session
  const { flags, operands } = call
  const filter = chosenLetters(operands, flags)
  await requireFiltered(session, flags)
  const preview = await operator.previewRedrive(filter, flags.roundsMax)
  const isPreview = flags.preview === true || flags.dryRun === true
  if (preview.selected === 0 && !isPreview) refuseNothing(filter, preview)
  if (preview.selected === 0 || isPreview) {
    screen.answer(preview, () => previewLines(preview, screen.width))
    return undefined
  }
  const request = await requestOf(session, filter, flags)
  screen.note(...previewLines(preview, screen.drawWidth), '')
  await confirm(screen, `Send ${counted(preview.selected, 'dead letter')} again?`, flags.yes)
  // Before it exists: a Ctrl-C that comes right behind it must say where to see it.
  call.interruption.claim()
  return watched(session, call, preview, await operator.redrive(request))
}

// An id that cannot be sent is not found; a filter that chooses nothing has nothing left to do.
function refuseNothing({ ids }: DeadLetterFilter, { guarded }: RedrivePreview): void {
  if (ids === undefined && guarded === 0) return
  const why =
    guarded > 0
      ? `${counted(guarded, 'dead letter')} left out: redriven too often already. Raise --rounds-max to send them once more.`
      : 'It may be resolved, or in another redrive. List them: eventspine dead list --state any.'
  throw new CommandError('NOTHING_TO_SEND', `Nothing to send. ${why}`, {
    exitCode: guarded > 0 ? exitCodes.failed : exitCodes.notFound,
  })
}

async function requestOf(
  { actor }: Session,
  filter: DeadLetterFilter,
  flags: RedriveFlags,
): Promise<RedriveRequest> {
  const { rate, canary, stopAtErrorRate, roundsMax, reason, edit } = flags
  return {
    filter,
    actor,
    // A request whose answer was lost is sent again by the connection: it stays one redrive.
    idempotencyKey: flags.idempotencyKey ?? randomUUID(),
    ...(rate !== undefined && { rate }),
    ...(canary !== undefined && { canary }),
    ...(stopAtErrorRate !== undefined && { stopAtErrorRate }),
    ...(roundsMax !== undefined && { roundsMax }),
    ...(reason !== undefined && { reason }),
    ...(edit !== undefined && { data: await readJson(edit.replace(/^@/, ''), '--edit', true) }),
  }
}

function previewLines({ selected, guarded, groups }: RedrivePreview, width: number): Text[] {
  if (selected === 0)
    return [
      ['Nothing to send: no dead letter fits', guarded > 0 ? ` but ${guarded} redriven too often.` : '.'],
    ]
  const left = guarded === 0 ? [] : [dim(`${counted(guarded, 'more')} left out: redriven too often already.`)]
  return [...groupLines(groups, width), '', `${counted(selected, 'dead letter')} to send.`, ...left]
}

async function watched(
  session: Session,
  { flags, interruption }: Call<RedriveFlags>,
  { groups }: RedrivePreview,
  redrive: Redrive,
): Promise<ExitCode | undefined> {
  const { operator, screen } = session
  const later = session.hint(`redrive show ${redrive.id}`)
  const hasWorker = (await operator.workers()).length > 0
  if (flags.wait === false || !hasWorker) {
    const why = hasWorker ? 'It goes on in the workers.' : 'No worker is running: it begins when one starts.'
    screen.answer(redrive, () => [
      [hasWorker ? green('✓') : yellow('!'), ` Redrive ${redrive.id}. ${why} See it: ${later}`],
    ])
    return undefined
  }
  const ended = await follow(session, interruption, {
    title: 'redriving',
    subscriptions: [...new Set(groups.map(({ subscription }) => subscription))],
    later,
    read: () => operator.redriveStatus(redrive.id),
    ended: ({ state }) => state === 'completed' || state === 'stopped',
    share: ({ selected, succeeded, failed }) => (selected === 0 ? 1 : (succeeded + failed) / selected),
    text: ({ state, selected, succeeded, failed }) =>
      `${count(succeeded)} of ${count(selected)} home, ${count(failed)} failed again${state === 'canary' ? ' (canary)' : ''}`,
  })
  screen.answer(ended, () => redriveLines(ended))
  return ended.state === 'stopped' || ended.failed > 0 ? exitCodes.failed : undefined
}
