// The shared store as one process calls it, with every answer that matters shown to the watch: what was recorded
// counts, also when its answer never arrives.
import {
  consumerId,
  type SettleAnswer,
  type Settlement,
  type SettleTransaction,
  type Store,
  type WorkerRow,
} from './engine.js'
import type { SimulatedProcess } from './process.js'

/** Machine and process that an identity names; the rest of it says when that process began. */
const deadProcess = '4194399|1'

/** What the decorated methods share. */
interface Observation {
  readonly process: SimulatedProcess
  readonly store: Store
  /** The worker's own name holds host and process number: a trace must not. */
  readonly worker: string
}

export function observed(process: SimulatedProcess, store: Store): Store {
  const worker = process.world.plan.faults.has('same worker id') ? 'twin' : process.name
  const observation = { process, store, worker }
  return {
    ...store,
    ...leases(observation),
    ...workers(observation),
    ...rows(observation),
    ...settling(observation),
    ...operations(observation),
  }
}

function leases({ process, store, worker }: Observation): Pick<Store, 'acquire' | 'renew' | 'release'> {
  const { watch, tally } = process.world
  return {
    async acquire(request) {
      const granted = await store.acquire({ ...request, worker })
      watch.granted(process.name, { ...request, worker }, granted)
      return granted
    },
    async renew(request) {
      const held = await store.renew({ ...request, worker })
      watch.renewed(worker, request.leases, held)
      if (held.size < request.leases.length) tally.met('lease lost')
      return held
    },
    async release(given) {
      await store.release(given)
      watch.released(given)
    },
  }
}

function workers({ process, store, worker }: Observation): Pick<Store, 'heartbeat' | 'removeWorker'> {
  const { world } = process
  let ownName = ''
  return {
    async heartbeat(row, selections) {
      ownName = row.id
      const answer = await store.heartbeat(
        { ...row, id: worker, identity: identityOf(row.identity, process) },
        selections,
      )
      const seen = (each: WorkerRow) => ({
        ...each,
        id: each.id === worker ? ownName : each.id,
        identity: world.plan.sameMachine && world.isDead(each.id) ? `${each.identity}${deadProcess}` : '',
      })
      return { ...answer, workers: answer.workers.map(seen), silent: answer.silent.map(seen) }
    },
    removeWorker: (id) => store.removeWorker(id === ownName ? worker : id),
  }
}

function rows({ process, store }: Observation): Pick<Store, 'claimDue' | 'unclaim' | 'promote'> {
  const { watch } = process.world
  return {
    async claimDue(given, deliveriesMax, suspectsMax) {
      const claimed = await store.claimDue(given, deliveriesMax, suspectsMax)
      watch.claimed(process.name, claimed)
      return claimed
    },
    async unclaim(holdings) {
      const looked = await store.unclaim(holdings)
      watch.unclaimed(holdings, looked)
      return looked
    },
    async promote(consumer, keys) {
      const open = await store.promote(consumer, keys)
      watch.promoted(consumer)
      return open
    },
  }
}

function settling({ process, store, worker }: Observation): Pick<Store, 'settle' | 'begin'> {
  const { watch, tally } = process.world
  const judge = (settlements: readonly Settlement[], answer: SettleAnswer) => {
    for (const settlement of settlements) {
      const id = consumerId(settlement)
      if (answer.settled.has(id)) watch.settled(process.name, settlement)
      else if (!answer.conflicts.has(id)) tally.met('settlement refused')
    }
  }
  return {
    async settle(_worker, settlements, priority) {
      const answer = await store.settle(worker, settlements, priority)
      judge(settlements, answer)
      return answer
    },
    async begin(deadlineMs) {
      const transaction = await store.begin(deadlineMs)
      process.opened(transaction)
      return observedTransaction(transaction, worker, (settlement, answer) => {
        process.closed(transaction)
        judge([settlement], answer)
        if (answer.settled.size === 0) tally.met('effects of a lost lease undone')
      })
    },
  }
}

function operations({ process, store }: Observation): Pick<Store, 'stopReplay' | 'discard' | 'register'> {
  const { watch, ledger, trace, tables } = process.world
  return {
    async stopReplay(id, actor, reason) {
      const replay = await store.stopReplay(id, actor, reason)
      watch.fenced(id)
      if (!ledger.replaysStopped.has(id)) ledger.replaysStopped.set(id, trace.order)
      return replay
    },
    async discard(filter, actor, reason) {
      const calledAt = trace.order
      const count = await store.discard(filter, actor, reason)
      for (const { id, state, consumer } of tables.letters.values()) {
        if (state !== 'discarded' || ledger.discardedAt.has(id)) continue
        ledger.discardedAt.set(id, calledAt)
        watch.promoted(consumer)
      }
      return count
    },
    async register(subscriptions) {
      ledger.registeringAt = Math.min(ledger.registeringAt, trace.order)
      await store.register(subscriptions)
      ledger.registeredAt = Math.min(ledger.registeredAt, trace.order)
    },
  }
}

// The machine of this process: its neighbours can then see whether a process of that number still runs.
function identityOf(identity: string, { world }: SimulatedProcess): string {
  if (!world.plan.sameMachine) return ''
  return identity.split('|').slice(0, -2).join('|').concat('|')
}

function observedTransaction(
  transaction: SettleTransaction,
  worker: string,
  judged: (settlement: Settlement, answer: SettleAnswer) => void,
): SettleTransaction {
  return {
    query: (text, values) => transaction.query(text, values),
    async settle(_worker, settlement) {
      const answer = await transaction.settle(worker, settlement)
      judged(settlement, answer)
      return answer
    },
    rollback: () => transaction.rollback(),
  }
}
