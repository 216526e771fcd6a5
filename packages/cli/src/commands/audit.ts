// `eventspine audit`: who did what to subscriptions, dead letters, redrives, replays and breakers.
import type { Command } from 'commander'
import type { AuditQuery } from 'eventspine'
import { type Commands, nextPage, type PageFlags, pageRequest } from '../command.js'
import { momentOf, wholeNumber } from '../input/values.js'
import { table } from '../screen/table.js'
import { ago } from '../screen/time.js'
import { visibleJson } from '../screen/visible.js'

interface AuditFlags extends PageFlags {
  readonly by?: string
  readonly action?: string
  readonly target?: string
  readonly after?: Date
  readonly before?: Date
}

function queryOf({ by, action, target, after, before, ...page }: AuditFlags): AuditQuery {
  const asked = { ...pageRequest(page), actor: by, action, target, after, before }
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
}

/** Adds the command. */
export function addAudit(program: Command, commands: Commands): void {
  const action = commands.operation<AuditFlags>(async ({ operator, screen }, { flags }) => {
    const page = await operator.audit(queryOf(flags))
    screen.answer(page, () => {
      if (page.items.length === 0) return ['Nobody has operated anything yet.']
      const columns = [
        { title: 'WHEN' },
        { title: 'ACTION' },
        { title: 'TARGET' },
        { title: 'ACTOR', widthMin: 10, optional: true },
        { title: 'DETAILS', widthMin: 10, optional: true },
      ]
      const rows = page.items.map((row) => [
        ago(row.atMs),
        row.action,
        row.target,
        row.actor,
        visibleJson(row.details),
      ])
      return [...table(columns, rows, screen.width), ...nextPage(page.cursor)]
    })
    return undefined
  })
  program
    .command('audit')
    .description('list who did what, newest first')
    .option('--by <name>', 'who, exactly')
    .option('--action <action>', 'what, such as redrive.create or breaker.*')
    .option('--target <target>', 'to what; * stands for any run of characters')
    .option('--after <time>', 'ISO 8601, or so long ago (15m, 2h, 3d)', momentOf)
    .option('--before <time>', 'ISO 8601, or so long ago', momentOf)
    .option('--limit <number>', 'so many, at most 500. Default 50', wholeNumber(1, 500))
    .option('--cursor <cursor>', 'go on where a page ended')
    .action(action)
}
