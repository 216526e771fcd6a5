// `eventspine publish`: one event from flags, or many from a file.
import type { Command } from 'commander'
import type { IncomingEvent } from 'eventspine'
import { type Call, type Commands } from '../command.js'
import { CommandError } from '../failure.js'
import { readJson } from '../input/json.js'
import { momentOf, wholeNumber } from '../input/values.js'
import type { Session } from '../project/session.js'
import { dim, green, type Text } from '../screen/text.js'

export interface PublishFlags {
  readonly data?: string
  readonly file?: string
  readonly version?: number
  readonly id?: string
  readonly key?: string
  readonly tenant?: string
  readonly source?: string
  readonly subject?: string
  readonly time?: Date
  readonly correlation?: string
  readonly extension?: Readonly<Record<string, string>>
}

/** Adds the command. */
export function addPublish(program: Command, commands: Commands): void {
  program
    .command('publish [type]')
    .description('publish an event, or a file of them')
    .option('--data <json>', 'what happened: JSON, @FILE, or - for standard input')
    .option('--file <file>', 'a file of events, one JSON object a line, all checked before the first is sent')
    .option('--version <number>', 'version of the definition. Default: the newest', wholeNumber(1, 1_000_000))
    .option('--id <id>', 'makes repeats one event')
    .option('--key <key>', 'ordering key. Default: from the data, by the definition')
    .option('--tenant <name>', 'whose event it is')
    .option('--source <uri>', 'who says so')
    .option('--subject <text>', 'what it is about')
    .option('--time <time>', 'when it happened. Default: now', momentOf)
    .option('--correlation <id>', 'id of the event that its chain began with')
    .option('--extension <name=value>', 'a CloudEvents extension attribute; repeatable', extensionOf)
    .action(commands.operation(run, { contracts: true }))
}

function extensionOf(text: string, before: Readonly<Record<string, string>> = {}) {
  const at = text.indexOf('=')
  if (at > 0) return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
  throw new CommandError('REQUEST_INVALID', '--extension: write name=value.', { field: '--extension' })
}

async function run(session: Session, call: Call<PublishFlags>): Promise<undefined> {
  const { flags, operands } = call
  if (flags.file !== undefined) {
    if (operands.length > 0 || flags.data !== undefined)
      throw new CommandError('REQUEST_INVALID', '--file holds whole events: leave type and --data out.', {
        field: '--file',
      })
    const { publishFile } = await import('./publish-file.js')
    return publishFile(session, flags.file, call.interruption)
  }
  const { screen, spine, hint } = session
  const published = await spine.ingest(await eventOf(operands[0], flags))
  screen.answer(published, () => [
    [
      green('✓'),
      ` Published ${published.type} version ${published.version}`,
      dim(` tenant ${published.tenant}`),
    ] as Text,
    ['  ', published.id],
    dim(`  ${hint(`events show ${published.id}`)}`),
  ])
  return undefined
}

async function eventOf(type: string | undefined, flags: PublishFlags): Promise<IncomingEvent> {
  if (type === undefined)
    throw new CommandError('REQUEST_INVALID', 'Name the type of the event, or give --file.', {
      field: 'type',
    })
  if (flags.data === undefined)
    throw new CommandError('REQUEST_INVALID', 'Give --data: JSON, @FILE, or - for standard input.', {
      field: '--data',
    })
  const { version, id, key, tenant, source, subject, time, correlation, extension } = flags
  return {
    type,
    data: await readJson(flags.data, '--data'),
    ...(version !== undefined && { version }),
    ...(id !== undefined && { id }),
    ...(key !== undefined && { key }),
    ...(tenant !== undefined && { tenant }),
    ...(source !== undefined && { source }),
    ...(subject !== undefined && { subject }),
    ...(time !== undefined && { time }),
    ...(correlation !== undefined && { correlationId: correlation }),
    ...(extension !== undefined && { extensions: extension }),
  }
}
