// `eventspine keys`: API keys, in the database for all servers of the log, or in a file for one. A key is shown once; what is
// kept is its hash.
import { writeFile } from 'node:fs/promises'
import type { ApiKey, Role, Scope } from '@eventspine/server'
import { type Command, Option } from 'commander'
import type { StoredKey } from 'eventspine'
import { type Call, type Commands, operand } from '../command.js'
import { CommandError } from '../failure.js'
import { suggestion } from '../input/suggestion.js'
import type { Session } from '../project/session.js'
import type { Screen } from '../screen/screen.js'
import { table } from '../screen/table.js'
import { bold, dim, green, red, type Text } from '../screen/text.js'
import { ago } from '../screen/time.js'

interface CreateFlags {
  readonly file?: string
  readonly name: string
  readonly role?: Role
  readonly scopes?: string
  readonly tenant?: string
  readonly reason?: string
}

/** Adds the command. */
export function addKeys(program: Command, commands: Commands): void {
  const list = commands.operation(show)
  const keys = program.command('keys').description('list, make and withdraw API keys').action(list)
  keys.command('list').description('list the keys of the database').action(list)
  keys
    .command('create')
    .description('make a key, shown once; its hash is kept in the database, or in a file')
    .requiredOption('--name <name>', 'whose it is, for the audit')
    .addOption(
      new Option('--role <role>', 'of a person').choices(['viewer', 'operator', 'admin']).conflicts('scopes'),
    )
    .option(
      '--scopes <scopes>',
      'of a machine: routes, publish, read, operate, admin: one or several, with commas',
    )
    .option('--tenant <name>', 'limits it to one tenant')
    .option('--reason <text>', 'why, for the audit')
    .option('--file <file>', 'keep it in this file, for eventspine start --keys, and not in the database')
    .action(create(commands))
  keys
    .command('withdraw <id>')
    .description('make a key of the database worthless, and end its sessions')
    .requiredOption('--reason <text>', 'why, for the audit')
    .action(commands.operation<{ readonly reason: string }>(withdraw))
}

function create(commands: Commands) {
  const stored = commands.operation<CreateFlags>(async ({ operator, screen, actor }, { flags }) => {
    const { key, record } = await made(flags)
    const { id, hash, scopes, tenant = null } = record
    await operator.access.create({ id, hash, name: flags.name, scopes, tenant }, actor, flags.reason)
    screen.answer({ key, id, scopes }, () => [
      ...shownOnce(key),
      [green('✓'), ' All servers of this log take it at once.'],
    ])
    return undefined
  })
  const filed = commands.task<CreateFlags>(inFile)
  return (...values: unknown[]) => {
    const command = values.at(-1) as Command
    return (command.opts<CreateFlags>().file === undefined ? stored : filed)(...values)
  }
}

async function inFile(screen: Screen, { flags }: Call<CreateFlags>): Promise<undefined> {
  const { readKeyFile } = await import('../input/key-file.js')
  const file = flags.file ?? ''
  const { key, record } = await made(flags)
  const records = [...(await readKeyFile(file)), record]
  await writeFile(file, `${JSON.stringify(records, null, 2)}\n`, { mode: 0o600 })
  screen.answer({ key, id: record.id, file }, () => [
    ...shownOnce(key),
    [green('✓'), ` Its hash is in ${file}. Servers read that when they start.`],
  ])
  return undefined
}

async function made(flags: CreateFlags): Promise<{ readonly key: string; readonly record: ApiKey }> {
  const { createApiKey } = await import('@eventspine/server')
  const { name, tenant } = flags
  return createApiKey({ scopes: await scopesOf(flags), name, ...(tenant !== undefined && { tenant }) })
}

async function scopesOf({ role, scopes }: CreateFlags): Promise<readonly Scope[]> {
  const { roles, scopes: known } = await import('@eventspine/server')
  if (role !== undefined) return roles[role]
  if (scopes === undefined) {
    const message = 'Say what it may: --role viewer, operator or admin for a person, --scopes for a machine.'
    throw new CommandError('REQUEST_INVALID', message, { field: '--role' })
  }
  return scopes.split(',').map((name) => {
    const scope = known.find((each) => each === name.trim())
    if (scope !== undefined) return scope
    const message = `--scopes: "${name}" is none. ${suggestion(name, known)}`
    throw new CommandError('REQUEST_INVALID', message, { field: '--scopes' })
  })
}

const shownOnce = (key: string): Text[] => [
  bold(key),
  dim('It is shown this once. Send it as "Authorization: Bearer …", or sign in to the console with it.'),
]

async function show({ operator, screen, hint }: Session): Promise<undefined> {
  const keys = (await operator.access.keys()).map(({ hash: _, ...key }) => key)
  screen.answer({ keys }, () => {
    if (keys.length === 0)
      return [`The database holds no key. Make one: ${hint('keys create --name you --role admin')}`]
    const columns = [
      { title: 'KEY' },
      { title: 'NAME', widthMin: 8 },
      { title: 'MAY', widthMin: 8 },
      { title: 'TENANT', optional: true },
      { title: 'MADE', optional: true },
      { title: 'STATE' },
    ]
    const rows = keys.map((key) => [
      ...[key.id, key.name, key.scopes.join(', '), key.tenant ?? dim('all'), ago(key.createdAtMs)],
      stateOf(key),
    ])
    return table(columns, rows, screen.width)
  })
  return undefined
}

const stateOf = ({ withdrawn }: Pick<StoredKey, 'withdrawn'>): Text =>
  withdrawn === null ? green('valid') : [red('withdrawn'), ` by ${withdrawn.by}: ${withdrawn.reason}`]

async function withdraw(
  { operator, screen, actor }: Session,
  { operands, flags }: Call<{ readonly reason: string }>,
): Promise<undefined> {
  const id = operand(operands)
  const { name } = await operator.access.withdraw(id, actor, flags.reason)
  screen.answer({ id, name, withdrawn: true }, () => [
    [green('✓'), ` ${id} of ${name} opens nothing any more: at every server within 2 s.`],
  ])
  return undefined
}
