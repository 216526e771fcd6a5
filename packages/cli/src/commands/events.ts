// `eventspine events`: list, show one, follow.
import type { Command } from 'commander'
import type { EventQuery, EventView } from 'eventspine'
import { type Commands, nextPage, type PageFlags, pageRequest } from '../command.js'
import { addEventFlags, type EventFlags, eventFilter } from '../input/event-filter.js'
import { momentOf, wholeNumber } from '../input/values.js'
import { table } from '../screen/table.js'
import { dim, type Text } from '../screen/text.js'
import { ago } from '../screen/time.js'
import { showEvent } from './events-show.js'
import { tailEvents } from './events-tail.js'
import { type TestPatternFlags, testPattern } from './events-test-pattern.js'

interface ListFlags extends EventFlags, PageFlags {
  readonly after?: Date
  readonly before?: Date
  readonly oldest?: boolean
}

/** Adds the command. */
export function addEvents(program: Command, commands: Commands): void {
  const events = program
    .command('events')
    .description('list events, show one with all that it led to, follow them')
  const list = commands.operation<ListFlags>(async ({ operator, screen }, { flags }) => {
    const page = await operator.events(queryOf(flags))
    screen.answer(page, () => lines(page.items, page.cursor, screen.width))
    return undefined
  })
  addEventFlags(events.command('list').description('list events, newest first'))
    .option('--after <time>', 'recorded since: ISO 8601, or so long ago (15m, 2h, 3d)', momentOf)
    .option('--before <time>', 'recorded before', momentOf)
    .option('--oldest', 'oldest first')
    .option('--limit <number>', 'so many, at most 500. Default 50', wholeNumber(1, 500))
    .option('--cursor <cursor>', 'go on where a page ended')
    .action(list)
  events
    .command('show <id>')
    .description('show an event, its deliveries and the tree of what it led to')
    .option('--tenant <name>', 'of this tenant, where several use the same id')
    .action(commands.operation(showEvent))
  addEventFlags(events.command('tail').description('follow events as they come, until Ctrl-C'))
    .option('--beginning', 'from the beginning of the log')
    .option('--limit <number>', 'end after so many', wholeNumber(1, 1_000_000_000))
    .action(commands.operation(tailEvents))
  events
    .command('test-pattern')
    .description('tell whether a pattern takes an event, and why: ends with 0 if it does, 1 if not')
    .requiredOption('--pattern <json>', 'the pattern: a file, JSON, or - for standard input')
    .requiredOption('--event <json>', 'the event with its data: a file, JSON, or - for standard input')
    .action(commands.task<TestPatternFlags>(testPattern))
}

const queryOf = (flags: ListFlags): EventQuery => ({
  ...eventFilter(flags),
  ...pageRequest(flags),
  ...(flags.after !== undefined && { after: flags.after }),
  ...(flags.before !== undefined && { before: flags.before }),
  ...(flags.oldest === true && { order: 'oldest' as const }),
})

function lines(events: readonly EventView[], cursor: string | null, width: number): Text[] {
  if (events.length === 0) return ['No event fits.']
  const columns = [
    { title: 'RECORDED' },
    { title: 'TYPE', widthMin: 16 },
    { title: 'KEY', widthMin: 5 },
    { title: 'ID' },
  ]
  const rows = events.map((event) => [
    ago(Date.parse(event.recordedAt)),
    event.version === 1 ? event.type : [event.type, dim(` v${event.version}`)],
    event.key ?? dim('–'),
    event.id,
  ])
  return [...table(columns, rows, width), ...nextPage(cursor)]
}
