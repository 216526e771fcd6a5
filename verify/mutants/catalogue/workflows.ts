// Workflows, schedules and reconcilers: I42 to I57.
import type { Mutant } from '../mutant.js'
import { conformance, edit, whole } from './places.js'

const histories: readonly Mutant[] = [
  {
    name: 'history-without-its-place',
    invariants: ['I42', 'I44'],
    bug: 'Whoever holds the lease adds to a history, also who does not know all of it.',
    edits: [edit('store/postgres/workflow.ts', ' AND w.entries = m.known', '')],
    caughtBy: conformance('refuses who does not know all of it (I42, I44)'),
  },
  {
    name: 'tried-before-recorded',
    invariants: ['I42'],
    bug: 'A step begins before the answer of the one before it is recorded.',
    edits: [
      edit(
        'workflow/driver.ts',
        '    if (this.#services.isSuspect || !this.#onlyStarted) await this.#flush()\n',
        '',
      ),
    ],
    caughtBy: whole('workflow/killed.test.ts', 'ends once, wherever its worker dies'),
  },
  {
    name: 'other-step-same-place',
    invariants: ['I43'],
    bug: 'A step that was renamed is given the answer of the old one.',
    edits: [edit('workflow/mismatch.ts', ' && call.name === entry.name', '')],
    caughtBy: whole('workflow/branches.test.ts', 'is found, explained, and waits for a person'),
  },
  {
    name: 'promise-not-compared',
    invariants: ['I43'],
    bug: 'A step that is no point of no return any more, or has no undo any more, goes unnoticed.',
    edits: [
      edit(
        'workflow/mismatch.ts',
        'if (begun.pivot === pivot && !lost) return',
        'if (begun.pivot || !lost || true) return',
      ),
    ],
    caughtBy: whole('workflow/deployed.test.ts', 'it waits for the code that it was started with'),
  },
  {
    name: 'failure-unheard',
    invariants: ['I43'],
    bug: 'What failed while nobody waited for it is lost with the end of its instance.',
    edits: [
      edit(
        'workflow/program.ts',
        'return lost ?? this.#failed.find(({ promise }) => !promise.heard)',
        'return lost',
      ),
    ],
    caughtBy: whole('workflow/misuse.test.ts', 'is heard of where it failed while the code went on'),
  },
  {
    name: 'history-without-token',
    invariants: ['I44'],
    bug: 'Who lost its lease goes on writing.',
    edits: [edit('store/postgres/workflow.ts', 'm.token = (SELECT', 'm.token <= (SELECT')],
    caughtBy: conformance('refuses who lost the lease (I44)'),
  },
  {
    name: 'instance-of-all-tenants',
    invariants: ['I45'],
    bug: 'An id that is used is not free for another tenant.',
    edits: [
      edit(
        'store/postgres/workflow.ts',
        'FROM moves m WHERE m.version IS NOT NULL\n',
        'FROM moves m WHERE m.version IS NOT NULL AND NOT EXISTS (SELECT FROM eventspine.workflow o WHERE o.name = m.name AND o.id = m.id)\n',
      ),
    ],
    caughtBy: conformance('starts the same id once, and for each tenant (I45, I60)'),
  },
  {
    name: 'known-stimulus-again',
    invariants: ['I42', 'I47'],
    bug: 'What came before its process died is added to the history once more.',
    edits: [edit('workflow/engine.ts', 'const fresh = !isKnown(loaded, event)', 'const fresh = true')],
    caughtBy: whole('workflow/killed.test.ts', 'ends once, wherever its worker dies'),
  },
  {
    name: 'newest-code-for-all',
    invariants: ['I56'],
    bug: 'An instance goes on with code that it was not started with.',
    edits: [edit('workflow/engine.ts', '({ version }) => version === loaded.instance.version', '() => true')],
    caughtBy: whole('workflow/versions.test.ts', 'goes on with the code that it was started with'),
  },
]

const waiting: readonly Mutant[] = [
  {
    name: 'woken-early',
    invariants: ['I46'],
    bug: 'A timer fires before its time.',
    edits: [
      edit(
        'store/postgres/workflow-wake.ts',
        '<= (SELECT clock_timestamp()) ORDER BY',
        "<= (SELECT clock_timestamp()) + interval '1 hour' ORDER BY",
      ),
    ],
    caughtBy: conformance('wakes when it is due, not before, and once (I46)'),
  },
  {
    name: 'signal-before-its-wait',
    invariants: ['I47'],
    bug: 'A signal that nobody waits for is dropped.',
    edits: [edit('workflow/inbox.ts', '    kept.push(payload)\n', '')],
    caughtBy: whole('workflow/workflow.test.ts', 'are kept before they are asked for, and come in order'),
  },
  {
    name: 'signals-backwards',
    invariants: ['I47'],
    bug: 'Of the signals that wait the newest is taken first.',
    edits: [edit('workflow/inbox.ts', 'kept.shift()', 'kept.pop()')],
    caughtBy: whole('workflow/workflow.test.ts', 'are kept before they are asked for, and come in order'),
  },
  {
    name: 'decision-kept-for-another-question',
    invariants: ['I47'],
    bug: 'Of two decisions that come at once, the second answers the next question.',
    edits: [
      edit(
        'workflow/program.ts',
        "const call = this.calls.get(place)\n    return call?.kind === 'approval'",
        "const call = [...this.calls.values()].find(({ kind }) => kind === 'approval')\n    return call?.kind === 'approval'",
      ),
    ],
    caughtBy: whole('workflow/approval-links.test.ts', 'of two at once counts one'),
  },
  {
    name: 'call-inside-of-a-step',
    invariants: ['I43'],
    bug: 'A call of the context inside of a step is recorded, and missing when the code runs again.',
    edits: [
      edit(
        'workflow/inside-step.ts',
        '  if (call === undefined) return\n',
        '  if (scope !== undefined) return\n',
      ),
    ],
    caughtBy: whole('workflow/misuse.test.ts', 'is noticed behind awaited work, and in an undo'),
  },
  {
    name: 'ended-and-overdue',
    invariants: ['I48'],
    bug: 'The deadline of an instance that has ended still stands.',
    edits: [
      edit(
        'store/postgres/workflow.ts',
        'deadline_at = CASE WHEN NOT m.ended THEN w.deadline_at END',
        'deadline_at = w.deadline_at',
      ),
    ],
    caughtBy: conformance('keeps when it ended, and wakes it no more'),
  },
  {
    name: 'deadline-forgotten',
    invariants: ['I53'],
    bug: 'An instance has no deadline.',
    edits: [
      edit(
        'store/postgres/workflow.ts',
        "CASE WHEN NOT m.ended THEN clock_timestamp() + m.deadline_ms * interval '1 millisecond' END",
        'NULL::timestamptz',
      ),
    ],
    caughtBy: conformance('tells of a passed deadline once, unless it has ended (I53)'),
  },
  {
    name: 'all-is-one',
    invariants: ['I55'],
    bug: 'A fan-in ends with the first branch that fails.',
    edits: [
      edit('workflow/scoped-context.ts', 'Promise.allSettled(begun).then(valuesOf)', 'Promise.all(begun)'),
    ],
    caughtBy: whole('workflow/branches.test.ts', 'a failed branch waits for the others'),
  },
]

const sagas: readonly Mutant[] = [
  {
    name: 'undone-in-order',
    invariants: ['I50'],
    bug: 'What was done first is undone first.',
    edits: [edit('workflow/saga.ts', '[...this.#begun].reverse()', '[...this.#begun]')],
    caughtBy: whole('workflow/saga.test.ts', 'undoes what may have happened, the last first'),
  },
  {
    name: 'in-doubt-and-left',
    invariants: ['I50'],
    bug: 'A step of which nobody knows whether it happened is not undone.',
    edits: [
      edit(
        'workflow/saga.ts',
        '[...this.#begun].reverse()',
        '[...this.#begun].reverse().filter(({ result }) => result !== undefined)',
      ),
    ],
    caughtBy: whole('workflow/saga.test.ts', 'undoes what may have happened, the last first'),
  },
  {
    name: 'compensated-before-undone',
    invariants: ['I49'],
    bug: 'It counts as compensated while it is being undone.',
    edits: [
      edit(
        'workflow/program.ts',
        '      this.#changed()\n      await call.promise\n',
        '      this.#changed()\n',
      ),
    ],
    caughtBy: whole('workflow/saga.test.ts', 'undoes what may have happened, the last first'),
  },
  {
    name: 'back-over-the-pivot',
    invariants: ['I51'],
    bug: 'What lies before the point of no return is undone behind it.',
    edits: [edit('workflow/saga.ts', '    this.#pivoted = true\n    this.#begun.length = 0\n', '')],
    caughtBy: whole(
      'workflow/saga.test.ts',
      'behind its pivot nothing is undone, and it cannot be cancelled',
    ),
  },
  {
    name: 'failed-undo-dropped',
    invariants: ['I52'],
    bug: 'An undoing that is given up counts as done.',
    edits: [
      edit(
        'workflow/attempts.ts',
        'if (delayMs === undefined) return this.#givenUp',
        "if (delayMs === undefined && undoes) return this.#arrive(call, { kind: 'undo-done' })\n    if (delayMs === undefined) return this.#givenUp",
      ),
    ],
    caughtBy: whole(
      'workflow/saga.test.ts',
      'a failing undo is retried to its limit, then waits for a person',
    ),
  },
  {
    name: 'wish-behind-the-halt',
    invariants: ['I54'],
    bug: 'A wish to end waits behind what halts the instance.',
    edits: [edit('workflow/driver.ts', 'this.#program.mayEnd && (await this.#services.wished())', 'false')],
    caughtBy: whole('workflow/deployed.test.ts', 'ends what is in doubt at the first time of asking'),
  },
  {
    name: 'step-run-again-to-end',
    invariants: ['I54'],
    bug: 'A step that kills its process is run again by the wish to end its instance.',
    edits: [edit('workflow/driver.ts', '!call.comesToItsEnd', '!call.begun')],
    caughtBy: whole('workflow/deadly.test.ts', 'the step is not run for that'),
  },
  {
    name: 'unborn-dies-unknown',
    invariants: ['I48'],
    bug: 'An instance whose first step kills its process is put aside before anybody can find it.',
    edits: [
      edit('workflow/driver.ts', 'this.#services.isSuspect || !this.#onlyStarted', '!this.#onlyStarted'),
    ],
    caughtBy: whole('workflow/deadly.test.ts', 'it is listed, and can be terminated'),
  },
  {
    name: 'cancel-forgotten',
    invariants: ['I54'],
    bug: 'Who is asked to end goes on.',
    edits: [edit('workflow/program.ts', 'this.cancelled ??= cancelled', 'this.cancelled ??= undefined')],
    caughtBy: whole('workflow/saga.test.ts', 'a cancelled one comes to the end of its step, and is undone'),
  },
]

const events: readonly Mutant[] = [
  {
    name: 'event-missed-before-its-wait',
    invariants: ['I47'],
    bug: 'An event that came before it was waited for is not found.',
    edits: [edit('workflow/driver.ts', "if (kind === 'event') this.#launching.push(call)", '')],
    caughtBy: whole(
      'workflow/events.test.ts',
      'takes one that was there before it asked, and none from before it was started',
    ),
  },
  {
    name: 'event-taken-twice',
    invariants: ['I47'],
    bug: 'An event answers each call that waits for it.',
    edits: [
      edit(
        'workflow/driver.ts',
        '    if (taken) this.#launching.push(call)\n    return taken',
        '    return false',
      ),
      edit('workflow/engine.ts', 'taken: [...taken]', 'taken: []'),
    ],
    caughtBy: whole(
      'workflow/events.test.ts',
      'answers one call of an instance, in the order in which they came',
    ),
  },
  {
    name: 'asks-and-is-not-found',
    invariants: ['I47'],
    bug: 'The store is not told that an instance waits for a decision.',
    edits: [edit('workflow/program.ts', '        call.askedAt = entry.position\n', '')],
    caughtBy: whole('workflow/approvals.test.ts', 'is found while it waits for a decision, and shows which'),
  },
  {
    name: 'event-of-all-tenants',
    invariants: ['I47'],
    bug: 'An event of another tenant is taken.',
    edits: [edit('store/postgres/workflow-awaited.ts', ' AND e.tenant = $3 AND e.id <>', ' AND e.id <>')],
    caughtBy: conformance(
      'finds what came since, of that type, key and tenant, and was not taken (I47, I58)',
    ),
  },
  {
    name: 'terminated-and-alive',
    invariants: ['I48'],
    bug: 'What was terminated is woken again.',
    edits: [
      edit(
        'store/memory/workflow.ts',
        '{ wakeAtMs: null, deadlineAtMs: null, awaited: [] }',
        '{ awaited: [] }',
      ),
    ],
    caughtBy: whole(
      'workflow/mending.test.ts',
      'ends it where it stands, undoes nothing, and it stays ended',
    ),
  },
]

const schedules: readonly Mutant[] = [
  {
    name: 'tick-by-each-process',
    invariants: ['I57'],
    bug: 'Each process publishes its own event for a tick.',
    edits: [edit('store/postgres/schedule.ts', ' AND ticked_ms = $3', ' AND ticked_ms >= 0 * $3::bigint')],
    caughtBy: conformance('is moved on once from where it stands, with its events (I57)'),
  },
  {
    name: 'ticks-from-the-beginning',
    invariants: ['I57'],
    bug: 'A process that starts begins its schedules anew.',
    edits: [
      edit(
        'store/postgres/schedule.ts',
        'ON CONFLICT (name, plan) DO NOTHING',
        'ON CONFLICT (name, plan) DO UPDATE SET ticked_ms = excluded.ticked_ms',
      ),
    ],
    caughtBy: conformance('begins now, and goes on from where it came when it is registered again (I57)'),
  },
  {
    name: 'missed-is-skipped',
    invariants: ['I57'],
    bug: 'What nobody took is dropped, whatever the policy says.',
    edits: [
      edit(
        'schedule/calendar.ts',
        "        if (policy === 'once') due.push({ atMs: last, missed: true })\n",
        '',
      ),
    ],
    caughtBy: whole('schedule/calendar.test.ts', 'is skipped, made up for once, or for each'),
  },
  {
    name: 'orphan-left-alone',
    invariants: ['I53'],
    bug: 'What breaks an invariant is found and nobody is told.',
    edits: [
      edit('schedule/reconciler.ts', 'for (const each of found)', 'for (const each of found.slice(1))'),
    ],
    caughtBy: whole('schedule/reconciler.test.ts', 'or is given one within five minutes, once'),
  },
]

export const workflowMutants: readonly Mutant[] = [
  ...histories,
  ...waiting,
  ...sagas,
  ...events,
  ...schedules,
]
