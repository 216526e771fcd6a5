// `eventspine import`: a file of records becomes events. Interrupted or killed, it goes on where it was.
import type { Command } from 'commander'
import type { ImportStanding } from 'eventspine/source'
import { type Call, type Commands, operand } from '../command.js'
import { exitCodes } from '../failure.js'
import { openFile } from '../input/json.js'
import type { Session } from '../project/session.js'
import { ProgressBar } from '../screen/progress-bar.js'
import { table } from '../screen/table.js'
import { dim, green, type Text, yellow } from '../screen/text.js'
import { ago, count, counted, duration } from '../screen/time.js'

/** Adds the commands. */
export function addImport(program: Command, commands: Commands): void {
  program
    .command('import <source> <file>')
    .description('import a file of records by a source of the app; called again, it goes on where it was')
    .action(commands.operation(importFile, { contracts: true }))
  program
    .command('imports')
    .description('list files that were imported, and how far others have come')
    .action(commands.operation(listImports))
}

async function importFile(
  { spine, screen, hint, cell }: Session,
  { operands, interruption }: Call<object>,
): Promise<130 | undefined> {
  const [source, path] = [operand(operands), operand(operands, 1)]
  await (await openFile(path, 'file')).close()
  const signal = interruption.claim()
  const bar = new ProgressBar(screen, 'importing')
  const [beganAt, beganAtMs] = [performance.now(), Date.now()]
  let before = 0
  let standing: ImportStanding
  try {
    standing = await spine.sources.importFile(source, path, {
      signal,
      ...(cell !== undefined && { cell }),
      progress: ({ offsetBytes, sizeBytes, records }) => {
        before ||= records
        const perSecond = ((records - before) * 1_000) / (performance.now() - beganAt)
        bar.update(offsetBytes / sizeBytes, `${count(records)} records, ${count(Math.round(perSecond))}/s`)
      },
    })
  } finally {
    bar.end()
  }
  const known = standing.endedAtMs !== null && standing.endedAtMs < beganAtMs
  screen.answer(standing, () => lines(standing, hint, known))
  return standing.state === 'completed' ? undefined : exitCodes.interrupted
}

function lines(standing: ImportStanding, hint: Session['hint'], known: boolean): Text[] {
  const {
    state,
    file,
    source,
    records,
    published,
    known: knownBefore,
    kept,
    startedAtMs,
    endedAtMs,
  } = standing
  const took = endedAtMs === null ? '' : dim(` in ${duration(endedAtMs - startedAtMs)}`)
  const first: Text =
    state === 'completed'
      ? [
          green('✓'),
          ` ${file}: ${counted(records, 'record')}, ${counted(published, 'event')} published`,
          knownBefore === 0 ? '' : `, ${count(knownBefore)} known already`,
          took,
        ]
      : [yellow('·'), ` ${file}: stopped behind ${counted(records, 'record')}. Call it again to go on.`]
  if (known && endedAtMs !== null)
    return [[green('✓'), ` This file was imported ${ago(endedAtMs)}, as ${file}. Nothing was done.`]]
  if (kept === 0) return [first]
  return [
    first,
    [
      yellow('  '),
      `${counted(kept, 'record')} could not become an event: `,
      dim(hint(`dead list --subscription source-${source}`)),
    ],
  ]
}

async function listImports({ spine, screen, cell }: Session): Promise<undefined> {
  const imports = await spine.sources.imports(cell)
  screen.answer({ imports }, () => {
    if (imports.length === 0) return ['No file was imported yet.']
    const columns = [
      { title: 'FILE', widthMin: 12 },
      { title: 'SOURCE' },
      { title: 'STARTED' },
      { title: 'DONE', align: 'right' },
      { title: 'RECORDS', align: 'right' },
      { title: 'EVENTS', align: 'right' },
      { title: 'KNOWN', align: 'right' },
      { title: 'KEPT', align: 'right' },
    ] as const
    const rows = imports.map((each) => [
      ...[each.file, each.source, ago(each.startedAtMs)],
      each.state === 'completed'
        ? green('100 %')
        : `${Math.floor((100 * each.offsetBytes) / Math.max(1, each.sizeBytes))} %`,
      ...[count(each.records), count(each.published), count(each.known), count(each.kept)],
    ])
    return table(columns, rows, screen.width)
  })
  return undefined
}
