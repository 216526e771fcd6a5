// `eventspine webhooks`: endpoints of others that fail or get nothing any more, and a hand on one.
import { type Command, Option } from 'commander'
import type { EndpointQuery, EndpointStanding } from 'eventspine/webhooks'
import { type Commands, operand } from '../command.js'
import type { Session } from '../project/session.js'
import { table } from '../screen/table.js'
import { dim, green, red, type Text, yellow } from '../screen/text.js'
import { ago, count } from '../screen/time.js'
import { quoted } from './workflows-tenant.js'

interface PlaceFlags {
  readonly tenant?: string
  readonly reason?: string
}

/** Adds the command. */
export function addWebhooks(program: Command, commands: Commands): void {
  const list = commands.operation<EndpointQuery>(async (session, { flags }) => show(session, flags))
  const webhooks = program
    .command('webhooks')
    .description('list endpoints that fail or are disabled; disable or enable one')
    .action(list)
  webhooks
    .command('list')
    .description('list endpoints that fail or are disabled, the latter first, at most 500')
    .option('--webhooks <name>', 'of these webhooks')
    .option('--tenant <name>', 'of one tenant')
    .addOption(new Option('--state <state>', 'only these').choices(['failing', 'disabled']))
    .action(list)
  webhooks
    .command('disable <webhooks> <endpoint>')
    .description('send it nothing more: its messages are dead letters')
    .option('--tenant <name>', "whose it is. Default: the app's")
    .option('--reason <text>', 'why, for the audit')
    .action(
      commands.operation<PlaceFlags>(async (session, { operands, flags: { tenant, reason } }) => {
        const place = placeOf(operands, tenant)
        await session.operator.webhooks.disable(place, session.actor, reason)
        session.screen.answer({ ...place, state: 'disabled' }, () => [
          [green('✓'), ` ${place.endpoint} is disabled: its messages are dead letters from now on.`],
        ])
        return undefined
      }),
    )
  webhooks
    .command('enable <webhooks> <endpoint>')
    .description('send it messages again; those that died meanwhile are redriven by hand')
    .option('--tenant <name>', "whose it is. Default: the app's")
    .option('--reason <text>', 'why, for the audit')
    .action(
      commands.operation<PlaceFlags>(async (session, { operands, flags: { tenant, reason } }) => {
        const place = placeOf(operands, tenant)
        await session.operator.webhooks.enable(place, session.actor, reason)
        const own = tenant === undefined ? '' : ` --tenant ${quoted(tenant)}`
        const letters = `--subscription webhooks-${place.webhooks}-send --key ${quoted(place.endpoint)}${own}`
        const redrive = session.hint(`redrive ${letters}`)
        session.screen.answer({ ...place, state: 'enabled' }, () => [
          [green('✓'), ` ${place.endpoint} is enabled. What died meanwhile: `, dim(redrive)],
        ])
        return undefined
      }),
    )
}

const placeOf = (operands: readonly string[], tenant: string | undefined) => ({
  ...{ webhooks: operand(operands), endpoint: operand(operands, 1) },
  ...(tenant !== undefined && { tenant }),
})

async function show({ operator, screen }: Session, query: EndpointQuery): Promise<undefined> {
  const { webhooks, tenant, state } = query
  const items = await operator.webhooks.list({ webhooks, tenant, state })
  screen.answer({ items }, () => {
    if (items.length === 0) return [[green('✓'), ' No endpoint fails or is disabled.']]
    const columns = [
      { title: 'WEBHOOKS' },
      { title: 'TENANT', widthMin: 6, optional: true },
      { title: 'ENDPOINT', widthMin: 8 },
      { title: 'STATE' },
      { title: 'FAILING', optional: true },
      { title: 'FAILURES', align: 'right', optional: true },
      { title: 'LAST ERROR', widthMin: 12 },
    ] as const
    const rows = items.map((each) => [
      ...[each.webhooks, each.tenant, each.endpoint, stateOf(each)],
      ...[each.failingSinceMs === null ? '' : ago(each.failingSinceMs), count(each.failures)],
      each.lastError ?? each.disabled?.reason ?? '',
    ])
    return table(columns, rows, screen.width)
  })
  return undefined
}

function stateOf({ disabled }: EndpointStanding): Text {
  if (disabled === null) return yellow('failing')
  const why = { gone: 'answered 410', failing: 'failed for too long', person: `by ${disabled.by}` }
  return [red('disabled'), ` ${why[disabled.cause]}`]
}
