// Does anything get slower as history grows, from 1 M to 10 M events with their runs? Two logs, one of each size, measured by
// turns: every statement that the engine sends at 1,000 events/s (pg_stat_statements, by the name in its comment: append, tick,
// settle …), and what operators ask. Target: nothing slower by more than 10 %.
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Figure, figuresOf, type Question, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { monotonicMs } from '../core/payload.js'
import { type Run, wholePart } from '../core/run.js'

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
      return await lab.run('eventspine', wholePart, (few) =>
        lab.run('eventspine', wholePart, (many) => compare(lab, few, many)),
      )
    } finally {
      await lab.preload(null)
    }
  },
}

/** A log that is measured again and again, by a process of its own each time. */
interface Log {
  readonly run: Run
  readonly size: number
  readonly taken: Taken[]
  /** Of its statements, by the id that PostgreSQL gave them: seen in one run, known in all. */
  readonly names: Map<string, string>
  stored: number
}

interface Taken {
  readonly statements: readonly Statement[]
  readonly queries: Sample
}

async function compare(lab: Lab, few: Run, many: Run): Promise<Answer> {
  const [small, large] = lab.options.scale.historyEvents
  const logs = [await filled(lab, few, small), await filled(lab, many, large)] as const
  const { runs, seconds } = lab.options.scale
  for (let number = 1; number <= runs; number++) {
    for (const log of logs) {
      lab.say(`${question}: ${log.size.toLocaleString('en')} events, run ${number} of ${runs}`)
      await measureOnce(lab, log, Math.max(seconds, 2), number)
    }
  }
  for (const { run, stored } of logs) await run.proveHistory(stored, stored)
  const [before, after] = logs.map((log) =>
    figuresOf(question, `eventspine ${log.size}`, {}, samplesOf(log)),
  ) as [Figure[], Figure[]]
  return answerOf(before, after, [small, large], runs)
}

async function filled(lab: Lab, run: Run, size: number): Promise<Log> {
  lab.say(`${question}: publishing and handling up to ${size.toLocaleString('en')} events`)
  await run.sql('CREATE EXTENSION pg_stat_statements')
  const subject = await run.open(wholePart)
  const { sent } = await run.flood(subject, size, fillSecondsMax)
  await run.handled([subject], sent)
  await run.close(subject)
  // Now rather than by autovacuum in the middle of a measurement.
  await run.sql('VACUUM ANALYZE')
  return { run, size, taken: [], names: new Map(), stored: sent }
}

async function measureOnce(lab: Lab, log: Log, seconds: number, number: number): Promise<void> {
  const { run, names, taken } = log
  const subject = await run.open(wholePart)
  log.stored += await run.warm(subject, [subject], wholePart)
  await run.sql('CHECKPOINT')
  await run.sql('SELECT pg_stat_statements_reset()')
  const pace = {
    eventsPerSecond,
    seconds,
    eventsMax: lab.options.scale.eventsMax,
    seed: lab.options.seed + number,
  }
  // A late generator shifts load, not the cost of a statement: the run counts.
  const [{ sent }] = await Promise.all([subject.call('pace', pace), learnNames(run, seconds, names)])
  log.stored += sent
  await run.handled([subject], sent)
  const statements = await run.sql<Statement>(statementTimes)
  taken.push({ statements, queries: await subject.call('queries', { repeats }) })
  await run.close(subject)
}

function samplesOf({ taken, names }: Log): Sample[] {
  return taken.map(({ statements, queries }) => ({
    ...meanTimes(statements, names),
    ...Object.fromEntries(Object.entries(queries).map(([name, ms]) => [`query ${name}`, ms])),
  }))
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
async function learnNames(run: Run, seconds: number, names: Map<string, string>): Promise<void> {
  const until = monotonicMs() + seconds * 1000
  while (monotonicMs() < until) {
    const seen = await run.sql<{ id: string; name: string }>(
      `SELECT query_id::text AS id, substring(query FROM '^/\\* ([a-z.-]+) ') AS name FROM pg_stat_activity
       WHERE datname = current_database() AND query_id IS NOT NULL AND query LIKE '/* %'`,
    )
    for (const { id, name } of seen) names.set(id, name)
    await delay(samplePauseMs)
  }
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
  runs: number,
): Answer {
  const larger = new Map(after.map((figure) => [figure.metric, figure]))
  const compared = before.flatMap((small) => {
    const large = larger.get(small.metric)
    // Of what ran often enough in one run alone there is no median.
    if (large === undefined || Math.min(small.runs, large.runs) < runs) return []
    const slower =
      large.median - small.median > noiseMs
        ? large.median / small.median
        : Math.min(1, large.median / small.median)
    return [{ metric: small.metric, slower }]
  })
  const worst = compared.sort((a, b) => b.slower - a.slower)[0]
  const statements = compared.filter(({ metric }) => metric.startsWith('statement')).length
  if (statements === 0) throw new Error('pg_stat_statements named no statement of the engine')
  // What did not run often enough in all runs of both.
  const metrics = new Set(compared.map(({ metric }) => metric))
  const notCompared = [...before, ...after].flatMap(({ metric }) => (metrics.has(metric) ? [] : [metric]))
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
    settings: { historyEvents, eventsPerSecond, compared: compared.length, statements, notCompared, noiseMs },
  }
}
