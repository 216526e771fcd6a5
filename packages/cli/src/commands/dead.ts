// `eventspine dead`: what was given up and is kept for a person.
import type { Command } from 'commander'
import type { DeadLetter, DeadLetterGroup, DeadLetterState } from 'eventspine'
import { type Commands, nextPage, type PageFlags, pageRequest } from '../command.js'
import { CommandError } from '../failure.js'
import { addLetterFlags, chosenLetters, type LetterFlags, letterFilter } from '../input/letter-filter.js'
import { wholeNumber } from '../input/values.js'
import { requireFiltered } from '../project/lookup.js'
import type { Session } from '../project/session.js'
import { confirm } from '../screen/confirm.js'
import { type Column, table } from '../screen/table.js'
import { dim, green, red, type Text, yellow } from '../screen/text.js'
import { ago, count, counted } from '../screen/time.js'
import { showLetter } from './dead-show.js'

interface ListFlags extends LetterFlags, PageFlags {
  readonly state?: string
  readonly groups?: boolean
}

interface DiscardFlags extends LetterFlags {
  readonly all?: boolean
  readonly reason?: string
  readonly yes?: boolean
}

const states = ['dead', 'redriving', 'redriven', 'discarded'] as const

/** Adds the command. */
export function addDead(program: Command, commands: Commands): void {
  const dead = program.command('dead').description('list dead letters, show one with its error, discard them')
  addLetterFlags(dead.command('list').description('list dead letters, newest first'))
    .option('--state <state>', `${states.join(', ')}, or any. Default: dead`)
    .option('--groups', 'count them by subscription and fault instead')
    .option('--limit <number>', 'so many, at most 500. Default 50', wholeNumber(1, 500))
    .option('--cursor <cursor>', 'go on where a page ended')
    .action(list(commands))
  dead
    .command('show <id>')
    .description('show a dead letter: its event, its attempts, its error, what to do next')
    .action(commands.operation(showLetter))
  addLetterFlags(dead.command('discard [ids...]').description('give dead letters up for good'))
    .option('--all', 'every dead letter')
    .option('--reason <text>', 'why, for the audit (needed)')
    .option('--yes', 'do not ask')
    .action(discard(commands))
}

function list(commands: Commands) {
  return commands.operation<ListFlags>(async (session, { flags }) => {
    const { operator, screen } = session
    const filter = letterFilter([], flags)
    await requireFiltered(session, flags)
    if (flags.groups === true) {
      const groups = await operator.deadLetterGroups(filter)
      screen.answer({ groups }, () => groupLines(groups, screen.width))
      return undefined
    }
    const page = await operator.deadLetters({ ...filter, ...pageRequest(flags), ...stateOf(flags.state) })
    screen.answer(page, () => letterLines(page.items, page.cursor, session, screen.width))
    return undefined
  })
}

function stateOf(given: string | undefined): { readonly state?: DeadLetterState } {
  if (given === 'any') return {}
  const state = states.find((each) => each === (given ?? 'dead'))
  if (state !== undefined) return { state }
  const message = `--state: "${given}" is none. There are: ${states.join(', ')}, any.`
  throw new CommandError('REQUEST_INVALID', message, { field: '--state' })
}

const stateStyles: Readonly<Record<DeadLetterState, Text>> = {
  dead: red('dead'),
  redriving: yellow('redriving'),
  redriven: green('redriven'),
  discarded: dim('discarded'),
}

/** Dead letters, one to a line. */
export function letterLines(
  letters: readonly DeadLetter[],
  cursor: string | null,
  { hint }: Pick<Session, 'hint'>,
  width: number,
): Text[] {
  if (letters.length === 0) return [[green('✓'), ' No dead letter fits.']]
  const columns = [
    { title: 'DEAD LETTER' },
    { title: 'DIED', optional: true },
    { title: 'STATE', optional: true },
    { title: 'CATEGORY', optional: true },
    { title: 'EVENT', widthMin: 12, optional: true },
    { title: 'ERROR', widthMin: 8 },
  ]
  const rows = letters.map((letter) => [
    letter.id,
    ago(letter.diedAtMs),
    stateStyles[letter.state],
    letter.failure.category,
    letter.event.type,
    letter.failure.message,
  ])
  const next = [dim(`${hint('dead show ID')} tells more; ${hint('redrive')} sends them again.`)]
  return [...table(columns, rows, width), ...nextPage(cursor), '', ...next]
}

/** Dead letters by fault. */
export function groupLines(groups: readonly DeadLetterGroup[], width: number): Text[] {
  if (groups.length === 0) return [[green('✓'), ' No dead letter fits.']]
  const columns = [
    { title: 'COUNT', align: 'right' },
    { title: 'SUBSCRIPTION' },
    { title: 'CATEGORY', optional: true },
    { title: 'LAST', optional: true },
    { title: 'FINGERPRINT' },
    { title: 'ERROR', widthMin: 8 },
  ] as const satisfies readonly Column[]
  const rows = groups.map((group) => [
    count(group.count),
    group.subscription,
    group.category,
    ago(group.lastAtMs),
    group.fingerprint,
    group.message,
  ])
  return table(columns, rows, width)
}

const roundsEver = 1_000

function discard(commands: Commands) {
  return commands.operation<DiscardFlags>(async (session, { flags, operands }) => {
    const { operator, screen, actor } = session
    const filter = chosenLetters(operands, flags)
    await requireFiltered(session, flags)
    const { reason } = flags
    if (reason === undefined || reason.trim() === '') {
      const message = 'Say why with --reason "…": it is kept in the audit.'
      throw new CommandError('REASON_NEEDED', message, { field: '--reason' })
    }
    const { selected, groups } = await operator.previewRedrive(filter, roundsEver)
    if (selected > 0) {
      screen.note(...groupLines(groups, screen.drawWidth), '')
      await confirm(screen, `Discard ${counted(selected, 'dead letter')} for good?`, flags.yes)
    }
    const discarded = selected === 0 ? 0 : await operator.discard(filter, actor, reason)
    screen.answer({ discarded }, () => [[green('✓'), ` ${counted(discarded, 'dead letter')} discarded.`]])
    return undefined
  })
}
