// The flags that choose events: the same for list and tail.
import type { Command } from 'commander'
import type { EventQuery } from 'eventspine'

export interface EventFlags {
  readonly type?: string
  readonly key?: string
  readonly tenant?: string
  readonly correlation?: string
}

/** Adds the flags to a command. */
export function addEventFlags(command: Command): Command {
  return command
    .option('--type <type>', 'of this type; * stands for any run of characters')
    .option('--key <key>', 'of this ordering key')
    .option('--tenant <name>', 'of this tenant')
    .option('--correlation <id>', 'of the chain that began with this event')
}

/** The query of the flags that list and tail share. */
export const eventFilter = ({ type, key, tenant, correlation }: EventFlags): EventQuery => ({
  ...(type !== undefined && { type }),
  ...(key !== undefined && { key }),
  ...(tenant !== undefined && { tenant }),
  ...(correlation !== undefined && { correlationId: correlation }),
})
