// The flags that choose dead letters: the same for list, discard and redrive.
import type { Command } from 'commander'
import type { DeadLetterFilter } from 'eventspine'
import { CommandError } from '../failure.js'
import { momentOf } from './values.js'

export interface LetterFlags {
  readonly subscription?: string
  readonly category?: string
  readonly tenant?: string
  readonly type?: string
  readonly key?: string
  readonly error?: string
  readonly fingerprint?: string
  readonly since?: Date
  readonly until?: Date
}

const categories = ['validation', 'permanent', 'transient', 'timeout', 'processing', 'unknown'] as const

/** Adds the flags to a command. */
export function addLetterFlags(command: Command): Command {
  return command
    .option('--subscription <name>', 'of this subscription')
    .option('--category <name>', `of this error category: ${categories.join(', ')}`)
    .option('--tenant <name>', 'of this tenant')
    .option('--type <type>', 'of this event type; * stands for any run of characters')
    .option('--key <key>', 'whose event has this key: of the messages of webhooks, the endpoint')
    .option('--error <text>', 'whose error message contains this text')
    .option('--fingerprint <print>', 'of this fault, as `dead list --groups` shows it')
    .option('--since <time>', 'that died since: ISO 8601, or so long ago (15m, 2h, 3d)', momentOf)
    .option('--until <time>', 'that died before', momentOf)
}

/** The filter of ids and flags. */
export function letterFilter(ids: readonly string[], flags: LetterFlags): DeadLetterFilter {
  const { category } = flags
  const known = categories.find((each) => each === category)
  if (category !== undefined && known === undefined) {
    const message = `--category: "${category}" is none. There are: ${categories.join(', ')}.`
    throw new CommandError('REQUEST_INVALID', message, { field: '--category' })
  }
  return {
    ...(ids.length > 0 && { ids }),
    ...(flags.subscription !== undefined && { subscription: flags.subscription }),
    ...(known !== undefined && { category: known }),
    ...(flags.tenant !== undefined && { tenant: flags.tenant }),
    ...(flags.type !== undefined && { eventType: flags.type }),
    ...(flags.key !== undefined && { key: flags.key }),
    ...(flags.error !== undefined && { error: flags.error }),
    ...(flags.fingerprint !== undefined && { fingerprint: flags.fingerprint }),
    ...(flags.since !== undefined && { diedAfter: flags.since }),
    ...(flags.until !== undefined && { diedBefore: flags.until }),
  }
}

/** The filter, refused when it chooses nothing in particular: forgetting a flag must not touch everything. */
export function chosenLetters(
  ids: readonly string[],
  flags: LetterFlags & { readonly all?: boolean },
): DeadLetterFilter {
  const filter = letterFilter(ids, flags)
  if (Object.keys(filter).length > 0 || flags.all === true) return filter
  throw new CommandError(
    'REQUEST_INVALID',
    'Say which dead letters: ids, --subscription, --category, --type, --error …, or --all for every one.',
    { field: '--all' },
  )
}
