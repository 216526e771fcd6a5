// `eventspine migrate`: creates or upgrades the tables.
import type { Command } from 'commander'
import type { Logger } from 'eventspine'
import { type Commands } from '../command.js'
import { green } from '../screen/text.js'

interface Applied {
  readonly cell: string
  readonly migrations: readonly string[]
}

/** Adds the command. */
export function addMigrate(program: Command, commands: Commands): void {
  const applied: Applied[] = []
  const action = commands.operation(
    async ({ screen, spine }) => {
      screen.answer({ cells: spine.cells, applied }, () =>
        applied.length === 0
          ? [[green('✓'), ' Nothing to do: the tables are up to date.']]
          : applied.map(({ cell, migrations }) => [green('✓'), ` ${cell}: applied ${migrations.join(', ')}`]),
      )
      return undefined
    },
    { migrate: true, logger: listener(applied) },
  )
  program
    .command('migrate')
    .description('create the tables, or upgrade them')
    .allowExcessArguments(false)
    .action(action)
}

// The library tells what it applied in its log.
function listener(applied: Applied[]): Logger {
  const ignore = () => {}
  const info: Logger['info'] = (message, fields) => {
    if (message === 'migrated' && fields !== undefined) applied.push(fields as unknown as Applied)
  }
  return { debug: ignore, info, warn: ignore, error: ignore }
}
