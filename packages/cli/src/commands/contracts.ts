// `eventspine contracts`: what the events of a cell look like, and what a deployment would break.
import type { Command } from 'commander'
import type { ContractFinding, Misfit, RegisteredContract } from 'eventspine'
import { type Call, type Commands } from '../command.js'
import { type ExitCode, exitCodes } from '../failure.js'
import type { Session } from '../project/session.js'
import { confirm } from '../screen/confirm.js'
import { table } from '../screen/table.js'
import { bold, cyan, dim, green, red, type Text, wrapped } from '../screen/text.js'
import { ago, counted } from '../screen/time.js'
import { exportContracts } from './contracts-export.js'

const misfitsShownMax = 10

/** Adds the command. */
export function addContracts(program: Command, commands: Commands): void {
  const contracts = program
    .command('contracts')
    .description('list the schemas of events; check, publish and export them')
    .action(commands.operation(listContracts))
  contracts
    .command('list')
    .description('list what is registered, by all apps')
    .action(commands.operation(listContracts))
  contracts
    .command('check')
    .description('tell what deploying this app would break, and for whom: ends with 1 if anything')
    .action(commands.operation(checkContracts))
  contracts
    .command('diff')
    .description('show how the events of this app differ from what is registered')
    .action(commands.operation(diffContracts))
  contracts
    .command('publish')
    .description('register the events of this app without starting it')
    .option('--replace', 'also those that differ under the same version, while developing')
    .option('--yes', 'replace without asking')
    .action(commands.operation(publishContracts))
  contracts
    .command('export')
    .description('write what is registered as AsyncAPI 3, JSON Schemas, or a catalogue in markdown')
    .option('--asyncapi <file>', 'one document; - for standard output')
    .option('--json-schema <folder>', 'a file for each version of an event')
    .option('--catalogue <folder>', 'pages for people')
    .action(commands.operation(exportContracts))
}

async function listContracts({ operator, screen }: Session): Promise<undefined> {
  const contracts = await operator.contracts.list()
  screen.answer({ contracts }, () => {
    if (contracts.length === 0) return ['No event is registered yet: an app does that when it starts.']
    const columns = [
      { title: 'EVENT' },
      { title: 'VERSION', align: 'right' },
      { title: 'APP' },
      { title: 'SINCE' },
      { title: 'WHAT IT SAYS', widthMin: 12, optional: true },
    ] as const
    const rows = contracts.map(({ type, version, app, registeredAtMs, description, schema }) => [
      ...[type, String(version), app, ago(registeredAtMs)],
      schema === null ? dim('schema unknown') : (description ?? dim('–')),
    ])
    return table(columns, rows, screen.width)
  })
  return undefined
}

async function checkContracts({ operator, screen }: Session): Promise<ExitCode | undefined> {
  const findings = await operator.contracts.check()
  const breaking = findings.filter(({ severity }) => severity === 'breaking').length
  screen.answer({ breaking, findings }, () => [
    breaking === 0
      ? [green('✓'), ' Deploying this app breaks nobody.']
      : [red('✗'), bold(` Deploying this app breaks something: ${counted(breaking, 'finding')}.`)],
    ...findings.flatMap((finding) => ['', ...findingLines(finding, screen.width)]),
  ])
  return breaking > 0 ? exitCodes.failed : undefined
}

function findingLines(
  { severity, type, version, consumer, message, misfits }: ContractFinding,
  width: number,
): Text[] {
  const sign = severity === 'breaking' ? red('✗') : cyan('·')
  const who = consumer === null ? '' : `, subscription ${consumer.name} of app ${consumer.app}`
  return [
    [sign, ' ', bold(`${type} version ${version}`), who],
    ...wrapped(message, Math.min(width, 110) - 2).map((line): Text => ['  ', line]),
    ...misfitLines(misfits),
  ]
}

function misfitLines(misfits: readonly Misfit[]): Text[] {
  const shown = misfits
    .slice(0, misfitsShownMax)
    .map(({ path, message }): Text => ['    ', cyan(path), ' ', message])
  const more = misfits.length - misfitsShownMax
  return more > 0 ? [...shown, dim(`    and ${more} more; all of them with --json`)] : shown
}

async function diffContracts({ operator, screen }: Session): Promise<undefined> {
  const differences = await operator.contracts.diff()
  screen.answer({ differences }, () => {
    if (differences.length === 0) return [[green('✓'), ' Nothing differs from what is registered.']]
    return differences.flatMap(({ type, version, change, stored, published }) => [
      [bold(`${type} version ${version}`), ' ', words[change]],
      ...(stored.length > 0
        ? [dim('  events that are stored, read by this app:'), ...misfitLines(stored)]
        : []),
      ...(published.length > 0
        ? [dim('  events of this app, read by those who know the one before:'), ...misfitLines(published)]
        : []),
    ])
  })
  return undefined
}

const words = {
  added: green('is new'),
  changed: red('is another one'),
  removed: dim('is not defined any more'),
}

async function publishContracts(
  { operator, screen, actor }: Session,
  { flags }: Call<{ readonly replace?: boolean; readonly yes?: boolean }>,
): Promise<undefined> {
  const { contracts } = operator
  if (flags.replace === true) {
    const changed = (await contracts.diff()).filter(({ change }) => change === 'changed')
    const names = changed.map(({ type, version }) => `${type} version ${version}`).join(', ')
    if (changed.length > 0)
      await confirm(screen, `Stored events may not fit the new schema. Replace ${names}?`, flags.yes)
  }
  const replaced = await contracts.publish(flags.replace === true ? actor : undefined)
  screen.answer({ published: contracts.own.length, replaced: replaced.map(named) }, () => [
    [
      green('✓'),
      ` ${counted(contracts.own.length, 'contract')} registered, ${replaced.length} of them anew.`,
    ],
  ])
  return undefined
}

const named = ({ type, version }: RegisteredContract) => ({ type, version })
