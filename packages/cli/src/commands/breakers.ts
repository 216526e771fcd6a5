// `eventspine breakers`: circuit breakers, and a hand on them.
import type { Command } from 'commander'
import type { BreakerPlace, BreakerState } from 'eventspine'
import { type Commands, operand, type ReasonFlags } from '../command.js'
import type { Session } from '../project/session.js'
import { table } from '../screen/table.js'
import { dim, green, red, type Text, yellow } from '../screen/text.js'
import { count, duration } from '../screen/time.js'

/** Adds the command. */
export function addBreakers(program: Command, commands: Commands): void {
  const list = commands.operation(async (session) => show(session, await session.operator.breakers()))
  const breakers = program
    .command('breakers')
    .description('list circuit breakers; open or close one by hand')
    .action(list)
  breakers.command('list').description('list circuit breakers').action(list)
  for (const [verb, state, effect] of [
    ['open', 'open', 'hold the work of a downstream, for an hour or until it is closed'],
    ['close', 'closed', 'let the work of a downstream go again, at a ramp'],
  ] as const) {
    breakers
      .command(`${verb} <name>`)
      .description(effect)
      .option('--tenant <name>', 'of a breaker that each tenant has of its own')
      .option('--key <key>', 'of one that each key of a tenant has')
      .option('--reason <text>', 'why, for the audit')
      .action(setTo(commands, state))
  }
}

function setTo(commands: Commands, state: 'open' | 'closed') {
  return commands.operation<Omit<BreakerPlace, 'name'> & ReasonFlags>(
    async (session, { operands, flags }) => {
      const { operator, actor } = session
      const name = operand(operands)
      const { reason, ...place } = flags
      await operator.setBreaker({ ...place, name }, state, actor, reason)
      const all = await operator.breakers()
      return show(
        session,
        all.filter((breaker) => breaker.name === name),
      )
    },
  )
}

const states: Readonly<Record<BreakerState['state'], (text: string) => Text>> = {
  closed: green,
  open: red,
  'half-open': yellow,
}

async function show({ screen }: Session, breakers: readonly BreakerState[]): Promise<undefined> {
  screen.answer({ breakers }, () => {
    if (breakers.length === 0) return ['No breaker has ever counted a failure.']
    const columns = [
      { title: 'BREAKER' },
      { title: 'TENANT', widthMin: 6 },
      { title: 'KEY', widthMin: 6, optional: true },
      { title: 'STATE' },
      { title: 'FAILURES', align: 'right' },
      { title: 'PROBES IN' },
      { title: 'LAST ERROR', widthMin: 12 },
    ] as const
    const rows = breakers.map((breaker) => [
      breaker.name,
      breaker.tenant === '' ? dim('all') : breaker.tenant,
      breaker.key,
      states[breaker.state](breaker.state),
      count(breaker.failures),
      breaker.state === 'open' ? duration(breaker.opensForMs) : '',
      breaker.lastError ?? '',
    ])
    return table(columns, rows, screen.width)
  })
  return undefined
}
