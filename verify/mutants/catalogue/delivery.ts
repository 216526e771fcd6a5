// Delivery, the part that moves and settles: I12 to I22.
import type { Mutant } from '../mutant.js'
import { beside, conformance, edit, whole } from './places.js'

const settling: readonly Mutant[] = [
  {
    name: 'first-failure-forgotten',
    invariants: ['I12', 'I17'],
    bug: 'The cursor passes a delivery whose retry row is not written.',
    edits: [edit('store/postgres/settle-sql.ts', `add('o', opened(settlements, parameters))`, '')],
    caughtBy: conformance('adds up: matched = completed + retrying + dead + skipped'),
  },
  {
    name: 'now-from-the-beginning',
    invariants: ['I13'],
    bug: 'A subscription that begins now is given what was there before.',
    edits: [
      edit('store/postgres/register.ts', 'WHEN i.now THEN $5::bigint', 'WHEN i.now THEN $5::bigint * 0'),
    ],
    caughtBy: conformance('from now: nothing committed before, everything committed after'),
  },
  {
    name: 'effects-of-a-repeat',
    invariants: ['I14'],
    bug: 'A settlement whose answer was lost is sent again, and its effects are applied again.',
    edits: [
      edit(
        'store/postgres/settle-transaction.ts',
        'if (now.size > 0) await',
        'if (now.size > 0 || before.size > 0) await',
      ),
    ],
    caughtBy: conformance('has its effects once when the answer was lost and the handler ran again'),
  },
  {
    name: 'dead-and-sent-well',
    invariants: ['I15'],
    bug: 'A redriven letter that fails again counts as sent well.',
    edits: [
      edit(
        'store/postgres/settle-sql.ts',
        `CASE WHEN k.dead THEN 'failed' ELSE 'succeeded' END`,
        `CASE WHEN k.dead IS NULL THEN 'failed' ELSE 'succeeded' END`,
      ),
    ],
    caughtBy: conformance('takes a letter back that failed again, one round further'),
  },
  {
    name: 'dead-and-open',
    invariants: ['I15', 'I18'],
    bug: 'The row of a delivery that dies stays open beside its dead letter.',
    edits: [
      edit(
        'deliver/settlement.ts',
        'if (isRow) draft.closed.push(place(item))',
        `if (isRow && ending.kind === 'done') draft.closed.push(place(item))`,
      ),
    ],
    caughtBy: whole('engine.pg.test.ts', 'retries by category'),
  },
  {
    name: 'delivery-id-of-the-attempt',
    invariants: ['I16'],
    bug: 'Each attempt of a delivery carries another id.',
    edits: [
      edit(
        'handle/execution.ts',
        'lease.replay, event.epoch, event.seq)',
        'lease.replay, event.epoch, event.seq + item.attempt - 1)',
      ),
    ],
    caughtBy: whole('invariants/mutants-delivery.pg.test.ts', 'keeps one id through attempts and redrives'),
  },
  {
    name: 'replay-unmarked',
    invariants: ['I16'],
    bug: 'A replayed delivery carries the id of the live one.',
    edits: [
      edit(
        'handle/execution.ts',
        'deliveryId(subscription.name, lease.replay,',
        `deliveryId(subscription.name, '',`,
      ),
    ],
    caughtBy: whole('operator.pg.test.ts', 'replays history into one subscription and into no other'),
  },
  {
    name: 'cursor-before-effects',
    invariants: ['I17'],
    bug: 'The cursor passes what still runs, and no row says so.',
    edits: [
      edit(
        'deliver/settlement.ts',
        'if (harvest.parked.has(item))\n      draft.opened.push(',
        'if (harvest.parked.has(item))\n      void (',
      ),
    ],
    caughtBy: whole('crash/policies.pg.test.ts', 'puts a slow head of line aside'),
  },
  {
    name: 'completed-not-counted',
    invariants: ['I18'],
    bug: 'Deliveries that end well at a later attempt are missing in the sum.',
    edits: [
      edit(
        'store/postgres/settle-sql.ts',
        'completed = c.completed + m.completed',
        'completed = c.completed + m.completed * (m.matched > 0)::int',
      ),
    ],
    caughtBy: conformance('adds up: matched = completed + retrying + dead + skipped'),
  },
]

const retrying: readonly Mutant[] = [
  {
    name: 'retry-without-attempt-count',
    invariants: ['I19'],
    bug: 'An attempt is not counted when its row is claimed: what kills its process runs for ever.',
    edits: [edit('store/postgres/retry.ts', 'attempt = r.attempt + 1', 'attempt = r.attempt')],
    caughtBy: conformance('counts the attempt before it runs, and gives each row out once'),
  },
  {
    name: 'deaths-not-counted',
    invariants: ['I19'],
    bug: 'The death of a process is not counted against the delivery that it ran.',
    edits: [
      edit('store/postgres/retry.ts', `deaths = r.deaths + (r.state = 'running')::int`, 'deaths = r.deaths'),
    ],
    caughtBy: conformance('gives out again what ran when its holder vanished'),
  },
  {
    name: 'attempts-without-end',
    invariants: ['I19'],
    bug: 'The limit of attempts is passed by one.',
    edits: [
      edit(
        'handle/outcome.ts',
        'const failure = judge(error)\n  if (attempt >=',
        'const failure = judge(error)\n  if (attempt >',
      ),
    ],
    caughtBy: beside('testing/scenario.test.ts', 'shows dead letters'),
  },
  {
    name: 'failed-and-given-back',
    invariants: ['I19'],
    bug: 'What failed in a chunk that is abandoned later is recorded, and given back uncounted as well.',
    edits: [
      edit(
        'deliver/consumer.ts',
        'this.#running.delete(item) && item.ending === undefined',
        'this.#running.delete(item)',
      ),
    ],
    caughtBy: whole('crash/abandoned-chunk.test.ts', 'counts the attempt of what failed'),
  },
  {
    name: 'retry-before-its-time',
    invariants: ['I20'],
    bug: 'Rows are given out before they are due.',
    edits: [
      edit(
        'store/postgres/retry.ts',
        'AND r.due_at <= (SELECT clock_timestamp()) AND (r.state',
        'AND (r.state',
      ),
    ],
    caughtBy: conformance('gives rows out when they are due, in that order'),
  },
  {
    name: 'half-the-jitter',
    invariants: ['I20'],
    bug: 'Delays keep to the upper half of their range, so that failed work comes back as one wave.',
    edits: [
      edit(
        'handle/retry-policy.ts',
        'random.next() * Math.min(ceilingMs',
        '(0.5 + random.next() / 2) * Math.min(ceilingMs',
      ),
    ],
    caughtBy: whole('crash/retry-delays.test.ts', 'spreads alarms over the whole of a doubling ceiling'),
  },
  {
    name: 'key-order-forgotten',
    invariants: ['I21'],
    bug: 'Events of a key run although an earlier one waits for its retry.',
    edits: [
      edit(
        'deliver/key-order.ts',
        'if (!isRow && this.#blocked.has(key))',
        'if (!isRow && this.#blocked.has(key) && !this.#ordered)',
      ),
    ],
    caughtBy: whole('engine.pg.test.ts', 'runs one delivery of a key at a time'),
  },
  {
    name: 'old-answer-frees-a-key',
    invariants: ['I21'],
    bug: 'A key goes on by an answer of the store that is older than the row that blocks it.',
    edits: [
      edit(
        'deliver/key-order.ts',
        'blocked.unrecorded === 0 && blocked.recorded === recorded',
        'blocked.unrecorded === 0',
      ),
    ],
    caughtBy: whole('crash/key-order.test.ts', 'stays blocked when an answer about a key is older'),
  },
  {
    name: 'two-of-a-key',
    invariants: ['I21'],
    bug: 'A waiting row is made due beside an active one of its key.',
    edits: [
      edit(
        'store/postgres/promote-sql.ts',
        `AND a.state <> 'waiting' AND a.key IS NOT NULL`,
        `AND a.state = 'none' AND a.key IS NOT NULL`,
      ),
    ],
    caughtBy: conformance('waits for an active row of the key, wherever in the order it stands'),
  },
  {
    name: 'head-of-the-next-key',
    invariants: ['I21'],
    bug: 'Of a key that has nothing the head of the one behind it is made due.',
    edits: [edit('store/postgres/promote-sql.ts', 'WHERE head.found', 'WHERE true')],
    caughtBy: conformance('asked for a key that has nothing, leaves the one behind it alone'),
  },
  {
    name: 'tenants-share-a-key',
    invariants: ['I21', 'I23'],
    bug: 'A dead letter of one tenant halts the same key of another, who sees no reason for it.',
    edits: [edit('event/stored.ts', '`${tenant}\\0${key}`', '`\\0${key}`')],
    caughtBy: whole('crash/key-order.test.ts', 'keeps the same key of two tenants apart'),
  },
  {
    name: 'letter-of-all-tenants',
    invariants: ['I23'],
    bug: 'In the store a letter halts the rows of its key, whatever tenant they are of.',
    edits: [
      edit(
        'store/postgres/promote-sql.ts',
        '`${row}.subscription, ${row}.tenant, ${row}.key, ${row}.replay, ${row}.shard`',
        '`${row}.subscription, ${row}.key, ${row}.replay, ${row}.shard`',
      ),
    ],
    caughtBy: conformance('keeps the same key of two tenants apart'),
  },
  {
    name: 'slow-head-holds-all',
    invariants: ['I22'],
    bug: 'A slow delivery holds back the record of all that ended behind it.',
    edits: [
      edit(
        'deliver/parking.ts',
        'blocking !== undefined && running.has(blocking)',
        'blocking !== undefined && !running.has(blocking)',
      ),
    ],
    caughtBy: whole('crash/policies.pg.test.ts', 'puts a slow head of line aside'),
  },
  {
    name: 'one-consumer-starves-others',
    invariants: ['I22'],
    bug: 'The rows of all consumers share one limit, so that the largest backlog takes it all.',
    edits: [
      edit(
        'store/postgres/retry.ts',
        'WHERE CASE WHEN p.suspect THEN p.place_of_all <= $7 ELSE p.place <= p.rows_max END',
        'WHERE CASE WHEN p.suspect THEN p.place_of_all <= $7 ELSE p.place_of_all <= p.rows_max END',
      ),
    ],
    caughtBy: whole('invariants/mutants-leases.pg.test.ts', 'gives each consumer its own number of rows'),
  },
  {
    name: 'open-key-holds-up-others',
    invariants: ['I62'],
    bug: 'What waits for the breaker of one key, open or with its probe under way, holds the queue of all keys.',
    edits: [edit('deliver/gate.ts', "return breaker.scope === 'service'\n", 'return true\n')],
    caughtBy: whole('crash/keys-apart.test.ts', 'holds up nobody else while its probe does not answer'),
  },
]

export const delivery = [...settling, ...retrying]
