// Delivery, the part that operators and policies steer: I23 to I31.
import type { Mutant } from '../mutant.js'
import { beside, conformance, edit, postgres, whole } from './places.js'

export const operating: readonly Mutant[] = [
  {
    name: 'halt-forgotten',
    invariants: ['I23'],
    bug: 'A new holder does not learn which keys a dead letter halts.',
    edits: [
      edit(
        'store/postgres/retry.ts',
        `AND halts AND state IN ('dead', 'redriving') AND key`,
        `AND halts AND state = 'none' AND key`,
      ),
    ],
    caughtBy: conformance('tells which keys have open rows and which are halted'),
  },
  {
    name: 'halt-ends-with-sending',
    invariants: ['I23'],
    bug: 'A halted key goes on as soon as its letter is sent again, not when that is through.',
    edits: [
      edit(
        'store/postgres/promote-sql.ts',
        `AND (l.state = 'dead' OR (l.epoch, l.seq) <> (h.epoch, h.seq)) ORDER BY`,
        `AND l.state = 'none' ORDER BY`,
      ),
    ],
    caughtBy: conformance('leaves halted keys alone'),
  },
  {
    name: 'paused-and-granted',
    invariants: ['I24'],
    bug: 'A paused subscription is granted to the next worker that asks.',
    edits: [
      edit(
        'store/postgres/lease.ts',
        `WHERE s.state = 'active' AND NOT k.finished AND k.subscription`,
        'WHERE NOT k.finished AND k.subscription',
      ),
    ],
    caughtBy: conformance('counts live holders down to none, and grants nothing while paused'),
  },
  {
    name: 'paused-and-claimed',
    invariants: ['I24'],
    bug: 'A holder whose lease ran out, so that a pause did not wait for it, starts another attempt.',
    edits: [
      edit(
        'store/postgres/retry.ts',
        'c.token = h.token AND c.lease_until > clock_timestamp()',
        'c.token = h.token',
      ),
    ],
    caughtBy: conformance('lets a holder whose lease ran out start nothing'),
  },
  {
    name: 'stopped-and-paused',
    invariants: ['I24'],
    bug: 'Stopping a replay takes the lease of who still runs it, so that a pause does not wait for that.',
    edits: [
      edit(
        'store/postgres/replay.ts',
        'SET finished = true, token = c.token + 1,',
        `SET finished = true, token = c.token + 1, owner = NULL, lease_until = '-infinity',`,
      ),
    ],
    caughtBy: conformance('acknowledges no pause while the holder of a stopped replay may run its handlers'),
  },
  {
    name: 'removed-beside-its-holder',
    invariants: ['I25'],
    bug: 'A subscription is removed while a worker still holds it.',
    edits: [
      edit(
        'store/postgres/operate.ts',
        'if (paused.length === 0 || (held?.count ?? 0) > 0) return false',
        'if (held === undefined) return false',
      ),
    ],
    caughtBy: whole('invariants/mutants-leases.pg.test.ts', 'removes no subscription that somebody holds'),
  },
  {
    name: 'removed-without-a-record',
    invariants: ['I25', 'I28'],
    bug: 'The dead letters of a removed subscription stay as if somebody would still send them.',
    edits: [
      edit(
        'store/postgres/operate.ts',
        `WHERE subscription = $1 AND state IN ('dead', 'redriving') RETURNING 1`,
        `WHERE subscription = $1 AND state = 'none' RETURNING 1`,
      ),
    ],
    caughtBy: whole('operator.pg.test.ts', 'removes a subscription with a record'),
  },
  {
    name: 'filter-change-unrecorded',
    invariants: ['I26'],
    bug: 'Nothing says where in the log a changed definition took effect.',
    edits: [
      edit(
        'store/postgres/register.ts',
        `await connection.query('register.changes', changesText, [...columnsOf(written), changed, now ?? null])`,
        '',
      ),
    ],
    caughtBy: whole('operator.pg.test.ts', 'records where a changed definition takes effect'),
  },
  {
    name: 'old-definition-settles',
    invariants: ['I26'],
    bug: 'A holder with the definition of before passes over what the new one wants.',
    edits: [
      edit(
        'store/postgres/settle-sql.ts',
        ' AND (c.superseded_tick IS NULL OR m.tick <= c.superseded_tick)',
        '',
      ),
    ],
    caughtBy: conformance('records what was there, and nothing that came behind the change'),
  },
  {
    name: 'any-definition-is-granted',
    invariants: ['I26'],
    bug: 'A worker with another definition than the one in force is granted a lease.',
    edits: [
      edit(
        'store/postgres/lease.ts',
        `    AND (s.selection = '' OR ($6::text[])[array_position($2::text[], k.subscription)] IN ('', s.selection))\n`,
        `    AND $6::text[] IS NOT NULL\n`,
      ),
    ],
    caughtBy: conformance('is granted to whoever has the definition that is registered'),
  },
  {
    name: 'older-build-takes-over',
    invariants: ['I26'],
    bug: 'An old process that starts again in the middle of a rollout takes its subscriptions back.',
    edits: [
      edit('store/postgres/register.ts', 'AND i.build < s.build AND EXISTS (', 'AND false AND EXISTS ('),
    ],
    caughtBy: conformance('is not taken over by an older build'),
  },
  {
    name: 'retention-by-age',
    invariants: ['I27'],
    bug: 'What is old is removed, also where a cursor has not read it.',
    edits: [
      edit(
        'store/postgres/retention.ts',
        'if (horizon === null || !isBehind(partition, horizon)) return false',
        'if (horizon === null) return false',
      ),
    ],
    caughtBy: postgres('retention.pg.test.ts', 'stays while a cursor stands before it or in it'),
  },
  {
    name: 'open-deliveries-without-event',
    invariants: ['I27'],
    bug: 'An event is removed although a row points to it and has no copy.',
    edits: [edit('store/postgres/retention.ts', 'return open.length === 0', 'return open.length >= 0')],
    caughtBy: postgres('retention.pg.test.ts', 'stays while an open delivery has no copy of its event'),
  },
  {
    name: 'dead-without-failure',
    invariants: ['I28'],
    bug: 'A dead letter does not say how often it was tried.',
    edits: [
      edit(
        'store/postgres/settle-sql.ts',
        'r.tick, r.key, r.tenant, r.attempt, r.round, r.category',
        'r.tick, r.key, r.tenant, 0 * r.attempt, r.round, r.category',
      ),
    ],
    caughtBy: conformance('keeps a letter whole: event, failure, attempts'),
  },
  {
    name: 'unresolved-letters-swept',
    invariants: ['I28'],
    bug: 'Retention takes dead letters that nobody resolved.',
    edits: [
      edit(
        'store/postgres/maintain.ts',
        `WHERE state IN ('redriven', 'discarded') AND resolved_at < \${before('$2')}`,
        `WHERE coalesce(resolved_at, died_at) < \${before('$2')}`,
      ),
    ],
    caughtBy: conformance(
      'removes no event behind which a cursor stands, and no letter that nobody resolved',
    ),
  },
  {
    name: 'redrive-without-loop-guard',
    invariants: ['I29'],
    bug: 'A letter that failed again after each redrive is chosen for the next one.',
    edits: [
      edit(
        'store/postgres/redrive.ts',
        `AND l.round < $10::int AND \${free} AND`,
        `AND $10::int IS NOT NULL AND \${free} AND`,
      ),
    ],
    caughtBy: conformance('leaves letters alone that were redriven so many times'),
  },
  {
    name: 'letter-in-two-redrives',
    invariants: ['I29'],
    bug: 'A letter that one redrive has chosen is chosen by another.',
    edits: [
      edit(
        'store/postgres/redrive.ts',
        `AND l.round < $10::int AND \${free} AND`,
        'AND l.round < $10::int AND',
      ),
    ],
    caughtBy: conformance('chooses a letter for one redrive at a time'),
  },
  {
    name: 'redrive-without-rate',
    invariants: ['I29'],
    bug: 'A redrive sends all that is selected at once.',
    edits: [
      edit('store/postgres/redrive.ts', 'Math.min(sendsMax, Math.floor(saved * rate + 1e-6))', 'sendsMax'),
    ],
    caughtBy: beside('store/postgres/redrive.test.ts', 'judgement'),
  },
  {
    name: 'replay-of-the-world',
    invariants: ['I30'],
    bug: 'A handler that calls the world is replayed without being named.',
    edits: [
      edit(
        'runtime/replays.ts',
        'if (external && request.external !== true)',
        'if (external && request.external === false)',
      ),
    ],
    caughtBy: beside(
      'runtime/operator.pg.test.ts',
      'of a handler that calls the world is refused unless it is named',
    ),
  },
  {
    name: 'replay-publishes',
    invariants: ['I30'],
    bug: 'What a replayed handler publishes is published a second time.',
    edits: [edit('handle/execution.ts', `this.#attempt.lease.replay === ''`, 'published.length > 0')],
    caughtBy: whole('operator.pg.test.ts', 'replays history into one subscription and into no other'),
  },
  {
    name: 'batch-fails-together',
    invariants: ['I31'],
    bug: 'When one member of a batch fails, all of it fails.',
    edits: [
      edit(
        'deliver/transaction-chunk.ts',
        'left = left.filter((each) => each !== item && !behind.includes(each))',
        'for (const each of left) bad.set(each, outcome)\n    left = []',
      ),
    ],
    caughtBy: whole('invariants/mutants-delivery.pg.test.ts', 'fails one member of a batch alone'),
  },
  {
    name: 'statements-between-statements',
    invariants: ['I31'],
    bug: 'A handler that runs beside others in a transaction sends its second statement behind theirs.',
    edits: [edit('deliver/statement-order.ts', 'if (place < this.#last) {', 'if (place < 0) {')],
    caughtBy: whole('crash/side-by-side.pg.test.ts', 'of which the second relies on the first'),
  },
  {
    name: 'call-for-many-blames-all',
    invariants: ['I31'],
    bug: 'When a handler of many fails, each of its deliveries has failed.',
    edits: [
      edit('deliver/together.ts', 'gaveUp: () => this.#gaveUp,', 'gaveUp: () => false,'),
      edit('deliver/together.ts', '(place) => !call.joined(place)', '() => true'),
    ],
    caughtBy: whole('crash/batch.pg.test.ts', 'sets apart what fails alone'),
  },
  {
    name: 'unreadable-of-many-forgotten',
    invariants: ['I31'],
    bug: 'A delivery that cannot be shown to a handler of many is taken for one that it has handled.',
    edits: [
      edit(
        'deliver/together.ts',
        'const failed = failures(items, outcomes, (place) => !call.joined(place))',
        'const failed: readonly Failed[] = []',
      ),
    ],
    caughtBy: whole('crash/batch.pg.test.ts', 'goes on with the others where one cannot be read'),
  },
]
