// `eventspine audit`: who did what to subscriptions, dead letters, redrives, replays and breakers.
import type { Command } from 'commander'
import { type Commands, nextPage, type PageFlags, pageRequest } from '../command.js'
import { wholeNumber } from '../input/values.js'
import { table } from '../screen/table.js'
import { ago } from '../screen/time.js'
import { visibleJson } from '../screen/visible.js'

/** Adds the command. */
export function addAudit(program: Command, commands: Commands): void {
  const action = commands.operation<PageFlags>(async ({ operator, screen }, { flags }) => {
    const page = await operator.audit(pageRequest(flags))
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
    .option('--limit <number>', 'so many, at most 500. Default 50', wholeNumber(1, 500))
    .option('--cursor <cursor>', 'go on where a page ended')
    .action(action)
}
