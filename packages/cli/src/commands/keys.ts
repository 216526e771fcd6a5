// `eventspine keys`: makes an API key for a production server. The key is shown once; the file keeps its hash.
import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { type Call, type Commands } from '../command.js'
import { CommandError } from '../failure.js'
import { suggestion } from '../input/suggestion.js'
import type { Screen } from '../screen/screen.js'
import { bold, dim, green } from '../screen/text.js'

interface CreateFlags {
  readonly file: string
  readonly name: string
  readonly scopes: string
  readonly tenant?: string
}

/** Adds the command. */
export function addKeys(program: Command, commands: Commands): void {
  const keys = program.command('keys').description('make API keys for a production server')
  keys
    .command('create')
    .description('make a key, shown once, and add its hash to a file')
    .requiredOption('--file <file>', 'file of keys, for eventspine start --keys')
    .requiredOption('--name <name>', 'whose it is, for the audit')
    .requiredOption('--scopes <scopes>', 'publish, read, operate: one or several, with commas')
    .option('--tenant <name>', 'limits it to one tenant')
    .action(commands.task(create))
}

async function create(screen: Screen, { flags }: Call<CreateFlags>): Promise<undefined> {
  const { createApiKey, scopes: known } = await import('@eventspine/server')
  const { readKeyFile } = await import('../input/key-file.js')
  const scopes = flags.scopes.split(',').map((name) => {
    const scope = known.find((each) => each === name.trim())
    if (scope !== undefined) return scope
    const message = `--scopes: "${name}" is none. ${suggestion(name, known)}`
    throw new CommandError('REQUEST_INVALID', message, { field: '--scopes' })
  })
  const { file, name, tenant } = flags
  const { key, record } = createApiKey({ scopes, name, ...(tenant !== undefined && { tenant }) })
  const records = [...(await readKeyFile(file)), record]
  await writeFile(file, `${JSON.stringify(records, null, 2)}\n`, { mode: 0o600 })
  screen.answer({ key, id: record.id, file }, () => [
    bold(key),
    dim('It is shown this once. Send it as "Authorization: Bearer …".'),
    [green('✓'), ` Its hash is in ${file}.`],
  ])
  return undefined
}
