// `eventspine sources`: where events come from; tables whose changes become events are installed here.
import type { Command } from 'commander'
import type { CellTableStanding } from 'eventspine/source'
import { type Commands, operand } from '../command.js'
import type { Session } from '../project/session.js'
import { table } from '../screen/table.js'
import { dim, green, red, type Text, yellow } from '../screen/text.js'
import { count, duration } from '../screen/time.js'

/** Adds the commands. */
export function addSources(program: Command, commands: Commands): void {
  const sources = program
    .command('sources')
    .description('list the sources of the app; install those that are tables')
    .action(commands.operation(list))
  sources.command('list').description('list the sources of the app').action(commands.operation(list))
  sources
    .command('table-sql <source>')
    .description('print the SQL that makes its triggers')
    .action(
      commands.operation(async ({ spine, screen, cell }, { operands }) => {
        const sql = await spine.sources.tables.sql(operand(operands), cell)
        screen.answer({ sql }, () => sql.split('\n'))
        return undefined
      }),
    )
  sources
    .command('install <source>')
    .description('make its triggers: from then on each change of the table is an event')
    .action(
      commands.operation(async ({ spine, screen, cell, actor }, { operands }) => {
        const source = operand(operands)
        const cells = await spine.sources.tables.install(source, actor, cell)
        const done = cells.length === 0 ? 'was installed already.' : `is installed in ${cells.join(', ')}.`
        screen.answer({ source, cells }, () => [[green('✓'), ` ${source} ${done}`]])
        return undefined
      }),
    )
  sources
    .command('uninstall <source>')
    .description('remove its triggers: changes of the table are no events any more')
    .action(
      commands.operation(async ({ spine, screen, cell, actor }, { operands }) => {
        const source = operand(operands)
        const cells = await spine.sources.tables.uninstall(source, actor, cell)
        const done = cells.length === 0 ? 'was not installed.' : `is removed from ${cells.join(', ')}.`
        screen.answer({ source, cells }, () => [[green('✓'), ` ${source} ${done}`]])
        return undefined
      }),
    )
}

const colours = { installed: green, abandoned: yellow } as const

async function list({ spine, screen, cell }: Session): Promise<undefined> {
  const tables = await spine.sources.tables.list(cell)
  const others = spine.sources
    .list()
    .flatMap(({ name, transport }) => (transport === 'table' ? [] : [{ name, transport }]))
  screen.answer({ sources: others, tables }, () => {
    if (others.length + tables.length === 0)
      return [
        'The app has no source. Write one, such as webhook, httpRoute, fileSource, folderSource, tableSource or customSource, in its "sources".',
      ]
    const columns = [
      { title: 'SOURCE' },
      { title: 'KIND' },
      { title: 'TABLE', widthMin: 12 },
      { title: 'CELL' },
      { title: 'STATE' },
    ] as const
    const rows = [
      ...others.map(({ name, transport }) => [name, transport, dim('–'), dim('–'), dim('–')]),
      ...tables.map((each) => [each.source, 'table', each.table ?? dim('–'), each.cell, stateOf(each)]),
    ]
    return table(columns, rows, screen.width)
  })
  return undefined
}

function stateOf({ state, reason, lag }: CellTableStanding): Text {
  const colour = state in colours ? colours[state as keyof typeof colours] : red
  const behind = lag === null ? '' : `, ${count(lag.bytes)} bytes and ${duration(lag.seconds * 1_000)} behind`
  return [colour(state), reason === null ? behind : ` ${reason}`]
}
