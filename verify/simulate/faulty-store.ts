// The network and the process's luck, between it and the store: before and after every call the process may die, the
// answer may be lost although the work is done, the call may be refused, pass others, or hang.
import { EventspineError, type SettleTransaction, type Store } from './engine.js'
import type { FaultKind } from './plan.js'
import type { SimulatedProcess } from './process.js'

type Call = <Answer>(name: string, run: () => Promise<Answer>) => Promise<Answer>

const callFaults: readonly FaultKind[] = [
  'crash before a call',
  'crash after a call',
  'answer lost',
  'call refused',
  'call slow',
  'call hangs',
]

/** One that comes seldom and whose delay makes a zombie: it goes wrong so many times as often as others do. */
const renewalWeight = 6

export function faulty(process: SimulatedProcess, store: Store): Store {
  const call = caller(process)
  const wrapped = Object.fromEntries(
    Object.entries(store as unknown as Record<string, (...values: never[]) => Promise<unknown>>).map(
      ([name, method]) => [name, (...values: never[]) => call(name, () => method(...values))],
    ),
  ) as unknown as Store
  return {
    ...wrapped,
    begin: async (deadlineMs) => faultyTransaction(call, await call('begin', () => store.begin(deadlineMs))),
    async acquire(request) {
      const leases = await call('acquire', () => store.acquire(request))
      process.world.watch.answered(leases)
      return leases
    },
    notify: (by) => notify(process, store, by),
    listen: (action) => store.listen((by) => process.enter(() => action(by))),
    open: () => store.open(),
    close: () => store.close(),
  }
}

function notify(process: SimulatedProcess, store: Store, by: string): void {
  const { plan, dice, faulty: troubled, tally } = process.world
  if (process.dead) return
  if (troubled && plan.faults.has('wake-ups lost') && dice.chance(0.7)) return tally.met('wake-ups lost')
  store.notify(by)
}

function faultyTransaction(call: Call, transaction: SettleTransaction): SettleTransaction {
  return {
    query: <Row>(text: string, values?: readonly unknown[]) =>
      call('query', () => transaction.query<Row>(text, values)),
    settle: (worker, settlement) =>
      call('settle of a transaction', () => transaction.settle(worker, settlement)),
    rollback: () => call('rollback', () => transaction.rollback()),
  }
}

function caller(process: SimulatedProcess): Call {
  const { world } = process
  const { plan, dice } = world
  const kinds = callFaults.filter((kind) => plan.faults.has(kind))
  const rateOf = (name: string) => plan.faultRate * (name === 'renew' ? renewalWeight : 1)
  return async (name, run) => {
    if (process.dead) return process.never()
    if (!world.faulty) {
      const answer = await run()
      if (!process.alive) await process.gate()
      return answer
    }
    const kind = kinds.length > 0 && dice.chance(rateOf(name)) ? dice.pick(kinds) : undefined
    if (kind !== undefined) {
      world.tally.met(kind)
      world.trace.say(process.name, `${name}: ${kind}`)
    }
    return troubledCall(process, name, kind, run)
  }
}

async function troubledCall<Answer>(
  process: SimulatedProcess,
  name: string,
  kind: FaultKind | undefined,
  run: () => Promise<Answer>,
): Promise<Answer> {
  const { world } = process
  const { dice, plan, clock, connection } = world
  if (kind === 'crash before a call') process.crash(`before ${name}`)
  if (kind === 'crash before a call') return process.never()
  if (kind === 'call slow') await clock.sleep(dice.between(5, slowMsMax))
  else if (kind === 'call hangs') await clock.sleep(dice.between(1_000, hangMsMax))
  else if (dice.chance(plan.jitter)) await clock.sleep(dice.between(1, 4))
  let answer: Answer | undefined
  let fault: unknown
  // What was sent to a database that is gone arrives nowhere; what a dead process had sent still does.
  const gone = world.connection !== connection
  if (kind === 'call refused' || gone) fault = unavailable(`${name} was not carried out`)
  else answer = await run().catch((error: unknown) => void (fault = error))
  if (
    kind === 'answer lost' ||
    (kind === 'call hangs' && dice.chance(0.5)) ||
    (!gone && world.connection !== connection)
  )
    fault = unavailable(`the answer of ${name} was lost`)
  if (kind === 'crash after a call') process.crash(`after ${name}`)
  else if (dice.chance(plan.jitter)) await clock.sleep(dice.between(1, 4))
  await process.gate()
  if (fault !== undefined) throw fault
  return answer as Answer
}

const slowMsMax = 400
const hangMsMax = 4_000

const unavailable = (message: string) => new EventspineError('UNAVAILABLE', message, { retryAfterMs: 100 })
