// Leases and workers: I32 to I41.
import type { Mutant } from '../mutant.js'
import { conformance, edit, postgres, whole } from './places.js'

export const leases: readonly Mutant[] = [
  {
    name: 'settle-without-token',
    invariants: ['I32'],
    bug: 'A settlement is recorded whoever holds the lease by now.',
    edits: [edit('store/postgres/settle-sql.ts', 'AND c.token = m.token AND c.revision', 'AND c.revision')],
    caughtBy: conformance('the token of a holder whose lease ran out and was granted on'),
  },
  {
    name: 'claim-without-token',
    invariants: ['I32'],
    bug: 'Rows are given to a holder that lost its lease.',
    edits: [
      edit(
        'store/postgres/retry.ts',
        'h.shard AND c.token = h.token AND c.lease_until',
        'h.shard AND c.lease_until',
      ),
    ],
    caughtBy: conformance('gives rows to the newest token alone'),
  },
  {
    name: 'answer-for-a-follower',
    invariants: ['I32'],
    bug: 'Who asks whether its settlement arrived is told so about that of its follower.',
    edits: [edit('store/postgres/settle-record.ts', 'c.token = m.token AND c.revision', 'c.revision')],
    caughtBy: conformance('refuses it from a holder that was followed, though it had arrived'),
  },
  {
    name: 'token-of-the-owner',
    invariants: ['I33'],
    bug: 'A worker that is granted what it held before gets its old token again.',
    edits: [
      edit(
        'store/postgres/lease.ts',
        'token = c.token + 1',
        'token = c.token + (c.owner IS DISTINCT FROM $1 AND c.token = 0)::int',
      ),
    ],
    caughtBy: conformance('raises the token with every grant, whoever gets it'),
  },
  {
    name: 'token-below-the-old-cluster',
    invariants: ['I33'],
    bug: 'After a restore tokens go on where the copy stands, below those that the old cluster gave out.',
    edits: [edit('store/postgres/epoch.ts', '$1::bigint << 40', '$1::bigint')],
    caughtBy: postgres('epoch.pg.test.ts', 'every lease is lost and every later token is larger'),
  },
  {
    name: 'effects-without-settlement',
    invariants: ['I34', 'I14'],
    bug: 'The effects of a transactional handler commit although its settlement was refused.',
    edits: [
      edit(
        'store/postgres/settle-transaction.ts',
        `if (now.size > 0) await this.#end('COMMIT')`,
        `if (now.size >= 0) await this.#end('COMMIT')`,
      ),
    ],
    caughtBy: conformance('leaves nothing when the lease was lost meanwhile'),
  },
  {
    name: 'lease-for-ever',
    invariants: ['I35'],
    bug: 'A lease that ran out is not granted on.',
    edits: [edit('store/postgres/lease.ts', 'OR k.lease_until < clock_timestamp() OR k.owner', 'OR k.owner')],
    caughtBy: conformance('hands an expired lease on with its cursor, and not before it expired'),
  },
  {
    name: 'dead-neighbour-waited-for',
    invariants: ['I35'],
    bug: 'Leases of workers that are known to be dead are waited for.',
    edits: [
      edit('store/postgres/lease.ts', ' OR k.owner = ANY($4::text[]))', ' OR $4::text[] IS NULL)'),
      edit(
        'store/postgres/lease.ts',
        `if (deadWorkers.length > 0) await`,
        `if (deadWorkers.length < 0) await`,
      ),
    ],
    caughtBy: conformance('takes over from a worker known to be dead without waiting'),
  },
  {
    name: 'no-self-restraint',
    invariants: ['I36'],
    bug: 'A worker that cannot renew goes on with what runs until its lease is over and beyond.',
    edits: [edit('deliver/lease-keeper.ts', 'leaseMs * 0.9', 'leaseMs * 900')],
    caughtBy: whole('crash/leases.pg.test.ts', 'aborts what runs before its lease ends'),
  },
  {
    name: 'lease-over-early',
    invariants: ['I37'],
    bug: 'A lease is judged by a clock that is an hour ahead of the database’s.',
    edits: [
      edit(
        'store/postgres/lease.ts',
        'OR k.lease_until < clock_timestamp() OR',
        `OR k.lease_until < clock_timestamp() + interval '1 hour' OR`,
      ),
    ],
    caughtBy: conformance('hands an expired lease on with its cursor, and not before it expired'),
  },
  {
    name: 'lease-by-worker-clock',
    invariants: ['I11', 'I37'],
    bug: 'A lease ends by the clock of the worker that asks for it.',
    edits: [
      edit(
        'store/postgres/lease.ts',
        'some.map((each) => each.leaseMs)',
        'some.map((each) => each.leaseMs + database.clock.now() - Date.now())',
      ),
    ],
    caughtBy: whole(
      'invariants/lease-expiry.pg.test.ts',
      'leaves a lease with its holder, however wrong the clocks',
    ),
  },
  {
    name: 'lease-by-name',
    invariants: ['I38'],
    bug: 'A worker that starts under the name of another inherits its leases.',
    edits: [
      edit(
        'store/postgres/lease.ts',
        'OR k.owner = ANY($4::text[]))',
        'OR k.owner = ANY($4::text[]) OR k.owner = $1)',
      ),
    ],
    caughtBy: conformance('never lets a worker inherit a lease by its name'),
  },
  {
    name: 'renewal-by-name',
    invariants: ['I39'],
    bug: 'A renewal asks only who the owner is: it revives a lease that ran out and was granted on.',
    edits: [
      edit(
        'store/postgres/lease.ts',
        'AND c.token = h.token AND c.owner = $1\n  AND c.lease_until > clock_timestamp()',
        'AND (c.owner = $1 OR c.token >= h.token)',
      ),
    ],
    caughtBy: conformance('never revives a lease that was granted on'),
  },
  {
    name: 'leases-kept-at-stop',
    invariants: ['I40'],
    bug: 'A worker that stops leaves its leases to run out.',
    edits: [
      edit(
        'deliver/lease-keeper.ts',
        'if (leases.length === 0) return\n    const releasing',
        'if (leases.length === 0 || this.#stop.signal.aborted) return\n    const releasing',
      ),
    ],
    caughtBy: whole(
      'invariants/mutants-leases.pg.test.ts',
      'leaves no lease and no worker behind when it stops',
    ),
  },
  {
    name: 'granted-and-forgotten',
    invariants: ['I41'],
    bug: 'A worker that cannot remove the row of a dead neighbour forgets what it was granted a moment before.',
    edits: [
      edit(
        'deliver/lease-keeper.ts',
        'for (const lease of leases) await this.#hold(',
        'for (const id of deadWorkers) await port.removeWorker(id)\n    for (const lease of leases) await this.#hold(',
      ),
    ],
    caughtBy: whole('crash/granted.test.ts', 'holds what a dead neighbour left'),
  },
  {
    name: 'shard-granted-twice',
    invariants: ['I41'],
    bug: 'Two workers that ask at once are granted the same shard.',
    edits: [
      edit('store/postgres/lease.ts', 'LIMIT $5 FOR UPDATE OF k SKIP LOCKED FOR SHARE OF s', 'LIMIT $5'),
    ],
    caughtBy: whole(
      'invariants/mutants-leases.pg.test.ts',
      'grants each shard once to processes that ask at once',
    ),
  },
]
