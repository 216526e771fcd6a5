// `eventspine subscriptions`: who is interested in what, how far each has come; pause and resume.
import type { Command } from 'commander'
import type { SubscriptionView } from 'eventspine'
import { type Commands, operand, type ReasonFlags, withReason } from '../command.js'
import { requireSubscription } from '../project/lookup.js'
import { confirm } from '../screen/confirm.js'
import { deadOfReplays } from '../screen/dead-of-replays.js'
import { table } from '../screen/table.js'
import { dim, green, red, type Text, yellow } from '../screen/text.js'
import { count, duration } from '../screen/time.js'

/** Adds the command. */
export function addSubscriptions(program: Command, commands: Commands): void {
  const list = commands.operation(async ({ operator, screen }) => {
    const subscriptions = await operator.subscriptions()
    screen.answer({ subscriptions }, () => lines(subscriptions, screen.width))
    return undefined
  })
  const subscriptions = program
    .command('subscriptions')
    .description('list subscriptions; pause, resume or remove one')
    .action(list)
  subscriptions.command('list').description('list subscriptions with their lag').action(list)
  withReason(subscriptions.command('pause <name>'))
    .description('start no attempt any more; returns once none can start')
    .action(change(commands, 'pause'))
  withReason(subscriptions.command('resume <name>'))
    .description('go on where it was paused')
    .action(change(commands, 'resume'))
  withReason(subscriptions.command('remove <name>'))
    .description(
      'forget one that is gone from the code: cursor and open deliveries go, dead letters are discarded',
    )
    .option('--yes', 'do not ask')
    .action(remove(commands))
}

function remove(commands: Commands) {
  return commands.operation<ReasonFlags & { readonly yes?: boolean }>(
    async (session, { operands, flags }) => {
      const { operator, screen, actor } = session
      const name = operand(operands)
      await requireSubscription(session, name)
      const view = await operator.subscription(name)
      await confirm(
        screen,
        `Remove "${name}" with ${view?.retrying ?? 0} open deliveries and ${(view?.dead ?? 0) + (view?.replayDead ?? 0)} dead letters for good?`,
        flags.yes,
      )
      await operator.removeSubscription(name, actor, flags.reason)
      screen.answer({ name, state: 'removed' }, () => [
        [green('✓'), ` "${name}" is removed; the audit says what went with it.`],
      ])
      return undefined
    },
  )
}

function change(commands: Commands, verb: 'pause' | 'resume') {
  return commands.operation<ReasonFlags>(async (session, { operands, flags }) => {
    const { operator, screen, actor, hint } = session
    const name = operand(operands)
    await requireSubscription(session, name)
    if (verb === 'pause') screen.note(dim('Waiting for running handlers to end …'))
    await operator[verb](name, actor, flags.reason)
    const state = verb === 'pause' ? 'paused' : 'active'
    const said =
      verb === 'pause'
        ? `"${name}" is paused: no attempt starts. Go on with: ${hint(`subscriptions resume ${name}`)}`
        : `"${name}" goes on where it was.`
    screen.answer({ name, state }, () => [[green('✓'), ` ${said}`]])
    return undefined
  })
}

function lines(subscriptions: readonly SubscriptionView[], width: number): Text[] {
  if (subscriptions.length === 0)
    return ['No subscription is registered yet: a worker does that when it starts.']
  const replayed = deadOfReplays(subscriptions)
  const columns = [
    { title: 'SUBSCRIPTION' },
    { title: 'ON', widthMin: 10 },
    { title: 'STATE' },
    { title: 'LAG', align: 'right' },
    { title: 'BEHIND', align: 'right' },
    { title: 'RETRYING', align: 'right' },
    { title: 'DEAD', align: 'right' },
    ...replayed.columns,
    { title: 'WORKERS', align: 'right' },
  ] as const
  const rows = subscriptions.map((each) => row(each, replayed.cells(each)))
  return table(columns, rows, width)
}

function row(each: SubscriptionView, replayed: readonly Text[]): Text[] {
  return [
    each.priority === 'alarm' ? [each.name, yellow(' alarm')] : each.name,
    each.on.join(', '),
    each.state === 'paused' ? yellow('paused') : green('active'),
    `${each.lagExact ? '' : '~'}${count(each.lagEvents)}`,
    each.lagEvents === 0 ? dim('–') : duration(each.lagSeconds * 1_000),
    each.retrying === 0 ? dim('0') : yellow(count(each.retrying)),
    each.dead === 0 ? dim('0') : red(count(each.dead)),
    ...replayed,
    each.owners.length === 0 ? red('none') : count(each.owners.length),
  ]
}
