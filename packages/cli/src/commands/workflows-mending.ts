// What a person does with an instance that cannot go on.
import type { Command } from 'commander'
import { type Commands, operand, type ReasonFlags, reasonFrom, withReason } from '../command.js'
import { dim, green } from '../screen/text.js'
import { type TenantFlags, tenantOf, withTenant } from './workflows-tenant.js'

/** Adds `retry`, `terminate` and `restart`. */
export function addMending(workflows: Command, commands: Commands): void {
  withReason(withTenant(workflows.command('retry <workflow> <id>')))
    .description('send again what halts it, once the cause is mended')
    .action(
      commands.operation<TenantFlags & ReasonFlags>(
        async ({ spine, screen, actor, hint }, { operands, flags }) => {
          const [workflow, id] = [operand(operands), operand(operands, 1)]
          const redrive = await spine.workflows.retry(workflow, id, actor, {
            ...tenantOf(flags),
            ...reasonFrom(flags),
          })
          screen.answer({ workflow, id, redrive: redrive.id }, () => [
            [green('✓'), ` What halts ${workflow} ${id} is sent again.`],
            dim(`Look: ${hint(`workflows show ${workflow} ${id}`)}`),
          ])
          return undefined
        },
      ),
    )
  withTenant(workflows.command('terminate <workflow> <id>'))
    .description('end it where it stands; nothing is undone')
    .option('--reason <text>', 'why')
    .action(
      commands.operation<TenantFlags & { readonly reason?: string }>(
        async ({ spine, screen, actor }, { operands, flags }) => {
          const [workflow, id] = [operand(operands), operand(operands, 1)]
          await spine.workflows.terminate(workflow, id, actor, flags.reason, tenantOf(flags))
          screen.answer({ workflow, id, ended: true }, () => [
            [green('✓'), ` ${workflow} ${id} has ended. Nothing of it is undone.`],
          ])
          return undefined
        },
      ),
    )
  addRestart(workflows, commands)
}

function addRestart(workflows: Command, commands: Commands): void {
  interface Flags extends TenantFlags {
    readonly from?: string
    readonly as?: string
  }
  withTenant(workflows.command('restart <workflow> <id>'))
    .description('start another instance from a step of one that has ended, on the newest version')
    .option('--from <step>', 'its name, or its place in the history. Default: the beginning')
    .option('--as <id>', 'id of the new instance. Default: <id>~2')
    .action(
      commands.operation<Flags>(async ({ spine, screen, actor, hint }, { operands, flags }) => {
        const [workflow, id] = [operand(operands), operand(operands, 1)]
        const next = await spine.workflows.restart(workflow, id, actor, {
          ...(flags.from !== undefined && { from: flags.from }),
          ...(flags.as !== undefined && { as: flags.as }),
          ...tenantOf(flags),
        })
        screen.answer({ workflow, id: next.id, tenant: next.tenant, of: id }, () => [
          [
            green('✓'),
            ` ${workflow} ${next.id} goes on${flags.from === undefined ? ' from the beginning' : ` from "${flags.from}"`}.`,
          ],
          dim(`Look: ${hint(`workflows show ${workflow} ${next.id}`)}`),
        ])
        return undefined
      }),
    )
}
