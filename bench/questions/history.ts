// Does anything get slower as history grows, from 1 M to 10 M events with their runs? Measured at both: every statement
// that the engine sends at 1,000 events/s (pg_stat_statements, by the name in its comment: append, tick, settle …),
// and what operators ask. Target: nothing slower by more than 10 %.
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Figure, figuresOf, type Question, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { monotonicMs } from '../core/payload.js'
import { type Run, wholePart } from '../core/run.js'
import type { Subject } from '../core/subject.js'

const question = 'history'
const eventsPerSecond = 1_000
const fillSecondsMax = 7_200
const repeats = 30
/** A statement that ran less often has no mean worth comparing. */
const callsMin = 20
const slowerMax = 1.1
/** Differences below this are the machine's. */
const noiseMs = 0.05
const samplePauseMs = 50

export const history: Question = {
  name: question,
  title: 'A small history against a large one: queries, ticks, settling',
  async measure(lab) {
    if (!lab.systems.includes('eventspine')) return { figures: [], verdicts: [] }
    await lab.preload('pg_stat_statements')
    try {
      return await lab.run('eventspine', wholePart, (run) => grow(lab, run))
    } finally {
      await lab.preload(null)
    }
  },
}

async function grow(lab: Lab, run: Run): Promise<Answer> {
  await run.sql('CREATE EXTENSION pg_stat_statements')
  const [small, large] = lab.options.scale.historyEvents
  const subject = await run.open(wholePart)
  let events = await fill(lab, run, subject, 0, small)
  const before = await measured(lab, run, subject, small)
  events += before.sent
  events += await fill(lab, run, subject, events, large)
  const after = await measured(lab, run, subject, large)
  events += after.sent
  await run.close(subject)
  await run.proveHistory(events, events)
  return answerOf(before.figures, after.figures, [small, large])
}

async function fill(lab: Lab, run: Run, subject: Subject, from: number, to: number): Promise<number> {
  lab.say(`${question}: publishing and handling up to ${to.toLocaleString('en')} events`)
  await subject.call('forget')
  const { sent } = await run.flood(subject, Math.max(1, to - from), fillSecondsMax)
  await run.handled([subject], sent)
  // Now rather than by autovacuum in the middle of a measurement.
  await run.sql('VACUUM ANALYZE')
  return sent
}

async function measured(lab: Lab, run: Run, subject: Subject, events: number) {
  const samples: Sample[] = []
  const { runs, seconds } = lab.options.scale
  let sent = 0
  for (let number = 1; number <= runs; number++) {
    lab.say(`${question}: ${events.toLocaleString('en')} events, run ${number} of ${runs}`)
    const taken = await measureOnce(lab, run, subject, Math.max(seconds, 2), number)
    sent += taken.sent
    samples.push(taken.sample)
  }
  return { sent, figures: figuresOf(question, `eventspine ${events}`, {}, samples) }
}

async function measureOnce(lab: Lab, run: Run, subject: Subject, seconds: number, number: number) {
  await run.sql('SELECT pg_stat_statements_reset()')
  await subject.call('forget')
  const pace = {
    eventsPerSecond,
    seconds,
    eventsMax: lab.options.scale.eventsMax,
    seed: lab.options.seed + number,
  }
  // A late generator shifts load, not the cost of a statement: the run counts.
  const [{ sent }, names] = await Promise.all([subject.call('pace', pace), statementNames(run, seconds)])
  await run.handled([subject], sent)
  const statements = await run.sql<Statement>(statementTimes)
  const queries = await subject.call('queries', { repeats })
  return {
    sent,
    sample: {
      ...meanTimes(statements, names),
      ...Object.fromEntries(Object.entries(queries).map(([name, ms]) => [`query ${name}`, ms])),
    },
  }
}

interface Statement {
  readonly id: string
  readonly text: string
  readonly ms: number
  readonly calls: number
}

const statementTimes = `
SELECT queryid::text AS id, left(regexp_replace(query, '\\s+', ' ', 'g'), 50) AS text,
  total_exec_time AS ms, calls::int AS calls
FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid
WHERE d.datname = current_database() AND toplevel AND query LIKE '%eventspine%'`

// pg_stat_statements of PostgreSQL 18 drops the comment with the name; pg_stat_activity keeps it, and has the id.
async function statementNames(run: Run, seconds: number): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>()
  const until = monotonicMs() + seconds * 1000
  while (monotonicMs() < until) {
    const seen = await run.sql<{ id: string; name: string }>(
      `SELECT query_id::text AS id, substring(query FROM '^/\\* ([a-z.-]+) ') AS name FROM pg_stat_activity
       WHERE datname = current_database() AND query_id IS NOT NULL AND query LIKE '/* %'`,
    )
    for (const { id, name } of seen) names.set(id, name)
    await delay(samplePauseMs)
  }
  return names
}

function meanTimes(statements: readonly Statement[], names: ReadonlyMap<string, string>): Sample {
  const sums = new Map<string, { ms: number; calls: number }>()
  for (const { id, text, ms, calls } of statements) {
    const name = names.get(id) ?? text
    const sum = sums.get(name) ?? { ms: 0, calls: 0 }
    sums.set(name, { ms: sum.ms + ms, calls: sum.calls + calls })
  }
  const often = [...sums].filter(([, { calls }]) => calls >= callsMin)
  return Object.fromEntries(often.map(([name, { ms, calls }]) => [`statement ${name}`, ms / calls]))
}

function answerOf(
  before: readonly Figure[],
  after: readonly Figure[],
  historyEvents: readonly number[],
): Answer {
  const compared = before.flatMap((small) => {
    const large = after.find(({ metric }) => metric === small.metric)
    if (large === undefined) return []
    const slower =
      large.median - small.median > noiseMs
        ? large.median / small.median
        : Math.min(1, large.median / small.median)
    return [{ metric: small.metric, slower }]
  })
  const worst = compared.sort((a, b) => b.slower - a.slower)[0]
  const statements = compared.filter(({ metric }) => metric.startsWith('statement')).length
  if (statements === 0) throw new Error('pg_stat_statements named no statement of the engine')
  const named = worst === undefined || worst.slower <= 1 ? '' : ` (worst: ${worst.metric})`
  const reached = worst?.slower ?? null
  return {
    figures: [...before, ...after],
    verdicts: [
      {
        question,
        target: `nothing slower by more than 10 % and ${noiseMs} ms${named}`,
        reached,
        pass: reached !== null && reached <= slowerMax,
      },
    ],
    settings: { historyEvents, eventsPerSecond, compared: compared.length, statements, noiseMs },
  }
}
