// `eventspine personal`: what the log has of a person, their erasure, and the key that enciphers the keys of all.
import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { type Commands, operand } from '../command.js'
import { notFound } from '../project/lookup.js'
import type { Session } from '../project/session.js'
import { confirm } from '../screen/confirm.js'
import { bold, dim, green } from '../screen/text.js'
import { count } from '../screen/time.js'

interface TenantFlags {
  readonly tenant?: string
}

interface EraseFlags extends TenantFlags {
  readonly reason?: string
  readonly yes?: boolean
}

const keyBytes = 32
const tenantOf = ({ tenant }: TenantFlags) => (tenant === undefined ? {} : { tenant })

/** Adds the command. */
export function addPersonal(program: Command, commands: Commands): void {
  const personal = program
    .command('personal')
    .description('what the log has of a person: export it, erase it; keys')
  personal
    .command('export <person>')
    .description('print all events about a person as they were published, a line of JSON each')
    .option('--tenant <name>', 'of this tenant')
    .action(
      commands.operation<TenantFlags>(async ({ spine, screen }, { operands, flags }) => {
        for await (const event of spine.personal.export(operand(operands), tenantOf(flags)))
          screen.entry(event, () => JSON.stringify(event))
        return undefined
      }),
    )
  personal
    .command('erase <person>')
    .description('destroy the key of a person: what the log has of them cannot be read any more, for good')
    .option('--tenant <name>', 'of this tenant')
    .option('--reason <text>', 'why, for the audit')
    .option('--yes', 'do not ask')
    .action(commands.operation<EraseFlags>(erase))
  personal
    .command('rewrap')
    .description('encipher the keys of all persons by the first of EVENTSPINE_PERSONAL_KEY')
    .option('--tenant <name>', 'of the cell where this tenant lives')
    .action(
      commands.operation<TenantFlags>(async ({ spine, screen, actor }, { flags }) => {
        const keys = await spine.personal.rewrap({ actor, ...tenantOf(flags) })
        screen.answer({ keys }, () => [[green('✓'), ` ${count(keys)} keys are enciphered anew.`]])
        return undefined
      }),
    )
  personal
    .command('key')
    .description('make a key for EVENTSPINE_PERSONAL_KEY')
    .action(
      commands.task(async (screen) => {
        const key = randomBytes(keyBytes).toString('base64')
        screen.answer({ key }, () => [
          bold(key),
          dim(
            'Set EVENTSPINE_PERSONAL_KEY to it, the same for all processes. Without it what it enciphers is lost:',
          ),
          dim('keep a copy of it, and keep it apart from backups of the database.'),
        ])
        return undefined
      }),
    )
}

async function erase(
  { spine, screen, actor }: Session,
  { operands, flags }: { readonly operands: readonly string[]; readonly flags: EraseFlags },
): Promise<undefined> {
  const person = operand(operands)
  const { reason } = flags
  const where = flags.tenant === undefined ? '' : ` of tenant ${flags.tenant}`
  await confirm(screen, `Destroy the key of ${person}${where}? Nothing brings it back.`, flags.yes)
  const options = { actor, ...tenantOf(flags), ...(reason !== undefined && { reason }) }
  if (!(await spine.personal.erase(person, options)))
    throw notFound('person with data in the log', person, 'Erased before, or of another tenant (--tenant).')
  screen.answer({ person, erased: true, by: actor }, () => [
    [green('✓'), ` What the log has of ${person} cannot be read any more.`],
    dim('Copies that handlers made elsewhere are theirs, and backups have the key until they expire.'),
  ])
  return undefined
}
