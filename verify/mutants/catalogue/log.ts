// Publishing and the log: I1 to I11.
import type { Mutant } from '../mutant.js'
import { conformance, edit, postgres, whole } from './places.js'

const publishing: readonly Mutant[] = [
  {
    name: 'relaxed-commit-stays',
    invariants: ['I1'],
    bug: 'The asynchronous commit of a tick stays on its connection, so that later acknowledgements outrun the disk.',
    edits: [
      edit(
        'store/postgres/tick-sql.ts',
        `set_config('synchronous_commit', 'off', true)`,
        `set_config('synchronous_commit', 'off', false)`,
      ),
    ],
    caughtBy: postgres('tick-sql.pg.test.ts', 'its relaxed commit does not outlive it'),
  },
  {
    name: 'acknowledged-before-commit',
    invariants: ['I1'],
    bug: 'A publisher is told that its event is stored before the database said so.',
    edits: [
      edit(
        'append/appender.ts',
        'const outcomes = await this.#services.port.append(',
        `for (const pending of batch) pending.resolve('stored')
      const outcomes = await this.#services.port.append(`,
      ),
    ],
    caughtBy: whole(
      'invariants/mutants-publishing.pg.test.ts',
      'acknowledges nothing before it is committed',
    ),
  },
  {
    name: 'alarm-behind-others',
    invariants: ['I63'],
    bug: 'What an alarm waits for is written after all that waits.',
    edits: [edit('append/appender.ts', '[this.#alarms, this.#others]', '[this.#others, this.#alarms]')],
    caughtBy: whole('publish-limits.pg.test.ts', 'writes what an alarm waits for before all that waits'),
  },
  {
    name: 'batch-in-parts',
    invariants: ['I2'],
    bug: 'A batch that is wanted whole is kept in part when one of its ids is taken.',
    edits: [edit('store/postgres/append.ts', `if (outcomes.includes('conflict')) throw rollback`, '')],
    caughtBy: conformance('stores nothing of a batch with a conflict when all of it is wanted'),
  },
  {
    name: 'publish-beside-the-transaction',
    invariants: ['I2', 'I3'],
    bug: 'What is published within the caller’s transaction is written on another connection.',
    edits: [
      edit(
        'store/postgres/append.ts',
        'executor(`/* ${name} */ ${database.sql(text)}`, values)',
        `database.query('append', name, text, values)`,
      ),
    ],
    caughtBy: conformance('never shows what a transaction appended that rolled back'),
  },
  {
    name: 'events-of-refused-settlements',
    invariants: ['I2', 'I3'],
    bug: 'Events of handlers are stored although the settlement that they belong to is refused.',
    edits: [
      edit(
        'store/postgres/settle-sql.ts',
        'JOIN fenced f USING (move) ORDER BY i.ordinal',
        'ORDER BY i.ordinal',
      ),
    ],
    caughtBy: conformance('shows what handlers published with the outcome, in order, and never otherwise'),
  },
  {
    name: 'any-body-for-an-id',
    invariants: ['I4'],
    bug: 'A known id with another body is taken for a repeat.',
    edits: [
      edit(
        'store/postgres/append.ts',
        `=== event.fingerprint ? 'duplicate' : 'conflict'`,
        `=== undefined ? 'conflict' : 'duplicate'`,
      ),
    ],
    caughtBy: conformance('stores one event for the same id and body, and refuses the id for another body'),
  },
  {
    name: 'dedupe-without-tenant',
    invariants: ['I4'],
    bug: 'An id that one tenant used is a repeat for every other.',
    edits: [
      edit('store/postgres/append.ts', 'keyed.map((event) => event.tenant)', `keyed.map(() => 'all')`),
      edit(
        'store/postgres/append.ts',
        '`${event.tenant}\\n${event.source}\\n${event.id}`',
        '`${event.source}\\n${event.id}`',
      ),
      edit(
        'store/postgres/append.ts',
        'OR EXISTS (SELECT 1 FROM claimed c WHERE c.tenant = i.tenant AND ',
        'OR EXISTS (SELECT 1 FROM claimed c WHERE ',
      ),
      edit(
        'store/postgres/append.ts',
        'NOT EXISTS (SELECT 1 FROM claimed c WHERE c.tenant = i.tenant AND ',
        'NOT EXISTS (SELECT 1 FROM claimed c WHERE ',
      ),
    ],
    caughtBy: conformance('scopes an id by tenant and source, and checks none without a fingerprint'),
  },
  {
    name: 'body-in-other-bytes',
    invariants: ['I5'],
    bug: 'Bodies are stored parsed, so that spaces and the order of their fields change.',
    edits: [edit('store/postgres/append.ts', 'i.data::json`', 'i.data::jsonb::json`')],
    caughtBy: conformance('keeps every attribute and the bytes of the body'),
  },
  {
    name: 'restore-unnoticed',
    invariants: ['I6'],
    bug: 'A log that wakes up in another cluster goes on with its epoch, whose transaction ids come again.',
    edits: [edit('store/postgres/epoch.ts', 'return moved || row.ahead ? row : null', 'return null')],
    caughtBy: postgres(
      'epoch.pg.test.ts',
      'a restore elsewhere begins an epoch and loses no event of either',
    ),
  },
  {
    name: 'nul-and-surrogates',
    invariants: ['I10'],
    bug: 'Attributes that cannot be stored or printed are taken, and fail later or never.',
    edits: [edit('event/prepare.ts', 'if (unfit.test(value))', 'if (value === unfit.source)')],
    caughtBy: whole('publish.pg.test.ts', 'refuses what could not be stored, read back or delivered'),
  },
]

const reading: readonly Mutant[] = [
  {
    name: 'tick-by-transaction',
    invariants: ['I7', 'I21'],
    bug: 'A tick is read in the order (xid, seq), which is not the order in which a key’s events were written.',
    edits: [edit('store/postgres/log.ts', 'ORDER BY e.seq LIMIT $8', 'ORDER BY e.xid, e.seq LIMIT $8')],
    caughtBy: conformance('orders a tick by `seq`, whichever transaction came first'),
  },
  {
    name: 'many-ticks-by-transaction',
    invariants: ['I7'],
    bug: 'Who lags reads many ticks in the order (xid, seq) and not as everybody else.',
    edits: [
      edit('store/postgres/log.ts', 'a.tick - b.tick || a.seq - b.seq', 'a.xid - b.xid || a.seq - b.seq'),
    ],
    caughtBy: conformance('reads several ticks in the order of ticks, then of `seq`, from inside the first'),
  },
  {
    name: 'naive-cursor',
    invariants: ['I8'],
    bug: 'The cursor is the highest `seq` read: what commits later with a lower one is passed over.',
    edits: [
      edit(
        'store/postgres/log.ts',
        'if (index > 0 || event.seq > this.#seqAfter)',
        'if (event.seq > this.#seqAfter)',
      ),
    ],
    caughtBy: conformance('reads several ticks in the order of ticks, then of `seq`, from inside the first'),
  },
  {
    name: 'open-transactions-forgotten',
    invariants: ['I8'],
    bug: 'A tick holds what began since the last one, and not what the last one saw open.',
    edits: [
      edit(
        'store/postgres/log.ts',
        'e.xid = ANY($5::text[]::xid8[])',
        'e.xid = ANY($5::text[]::xid8[]) AND false',
      ),
    ],
    caughtBy: conformance('shows what commits late in a later tick, and skips nothing'),
  },
  {
    name: 'later-page-of-everything',
    invariants: ['I8'],
    bug: 'The second page of a large tick also holds what earlier ticks held.',
    edits: [
      edit(
        'store/postgres/log.ts',
        'AND NOT pg_visible_in_snapshot(e.xid, $5::pg_snapshot)',
        'AND $5::pg_snapshot IS NOT NULL',
      ),
    ],
    caughtBy: conformance('pages over the gaps of one tick'),
  },
  {
    name: 'gap-ends-the-tick',
    invariants: ['I8'],
    bug: 'A large tick ends where the numbers of others lie between two of its events.',
    edits: [edit('store/postgres/log.ts', 'if (events.length === eventsMax) return events', 'return events')],
    caughtBy: conformance('pages over the gaps of one tick'),
  },
  {
    name: 'part-of-a-tick',
    invariants: ['I8'],
    bug: 'The first events of a new tick that is too large to be answered with are taken for all of it.',
    edits: [edit('store/postgres/log.ts', 'if (!isSmall || events.length > eventsMax)', 'if (!isSmall)')],
    caughtBy: conformance('answers with the events of the tick that it makes, when they are few'),
  },
  {
    name: 'new-tick-without-late-ones',
    invariants: ['I8'],
    bug: 'A new tick is answered with what began since the last one, and not with what the last one saw open.',
    edits: [
      edit(
        'store/postgres/tick-sql.ts',
        'AND e.xid <= open.xid AND (SELECT small FROM sized)',
        'AND e.xid <= open.xid AND false',
      ),
    ],
    caughtBy: conformance('answers with the events of the tick that it makes, when they are few'),
  },
  {
    name: 'tick-unlike-its-snapshot',
    invariants: ['I5', 'I8'],
    bug: 'A tick is read by what is visible now, so that it holds something else each time.',
    edits: [
      edit(
        'store/postgres/log.ts',
        'e.xid < $3::text::xid8 AND pg_visible_in_snapshot(e.xid, $4::pg_snapshot)\n',
        'e.xid < $3::text::xid8 AND $4::pg_snapshot IS NOT NULL\n',
      ),
    ],
    caughtBy: conformance('reads a tick the same whatever commits afterwards'),
  },
  {
    name: 'lost-tick-by-number',
    invariants: ['I8'],
    bug: 'A tick that was lost in a crash and made anew is settled by its number alone.',
    edits: [
      edit(
        'store/postgres/settle-sql.ts',
        'm.snapshot = (SELECT t.snapshot::text FROM',
        'EXISTS (SELECT FROM',
      ),
    ],
    caughtBy: conformance('a tick that was made anew with another snapshot'),
  },
  {
    name: 'reader-trusts-numbers',
    invariants: ['I8'],
    bug: 'A reader goes on behind a renumbered tick as if it began where the one before ended.',
    edits: [
      edit(
        'deliver/feed.ts',
        'tick.number === before.number\n    ? ',
        'tick.number >= before.number\n    ? true || ',
      ),
    ],
    caughtBy: whole('renumbered.pg.test.ts', 'kept in memory'),
  },
  {
    name: 'xmin-cursor',
    invariants: ['I9'],
    bug: 'A tick sees only what is older than the oldest open transaction.',
    edits: [
      edit(
        'store/postgres/tick-sql.ts',
        'last.snapshot AS after, pg_current_snapshot() AS snapshot',
        `last.snapshot AS after, replace('x:x:', 'x', pg_snapshot_xmin(pg_current_snapshot())::text)::pg_snapshot AS snapshot`,
      ),
    ],
    caughtBy: conformance('does not wait for a transaction that stays open'),
  },
]

export const log = [...publishing, ...reading]
