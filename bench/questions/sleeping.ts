// Does a million of sleeping workflows slow a running one, or cost memory? Workflows of three steps, 32 in flight, beside none
// and beside a million that sleep: one is put to sleep by the engine, and its rows are copied. Target: throughput at
// least 90 % of that beside none, p99 at most 1.5 times and memory at most 1.1 times.
import { alternate, atLeast, atMost, medianOf, type Question, ratio, type Sample } from '../core/answer.js'
import type { Lab, Sql } from '../core/lab.js'
import type { Subject } from '../core/subject.js'

const question = 'sleeping'
const inFlight = 32
const warmSeconds = 2
const mebibyte = 1024 * 1024
const units = { workflows: 'workflows/s', resident: 'MiB', asleep: 'instances' }

export const sleeping: Question = {
  name: question,
  title: 'Workflows beside a million that sleep',
  async measure(lab) {
    if (!lab.systems.includes('eventspine')) return { figures: [], verdicts: [] }
    const counts = [0, lab.options.scale.sleepers]
    const contestants = counts.map((count) => ({
      system: `eventspine beside ${count}`,
      run: () => ranBeside(lab, count),
    }))
    const figures = await alternate(lab, question, units, contestants)
    const of = (metric: string) => {
      const [none, many] = contestants.map(({ system }) => medianOf(figures, system, metric))
      return ratio(many ?? null, none ?? null)
    }
    return {
      figures,
      verdicts: [
        atLeast(question, 'throughput >= 90 % of that beside none', of('workflows'), 0.9),
        atMost(question, 'p99 <= 1.5x of that beside none', of('p99'), 1.5),
        atMost(question, 'memory <= 1.1x of that beside none', of('resident'), 1.1),
      ],
      settings: { sleepers: counts[1], inFlight },
    }
  },
}

async function ranBeside(lab: Lab, count: number): Promise<Sample> {
  const { seconds, eventsMax: max } = lab.options.scale
  return await lab.workflows('eventspine', async (subject, sql) => {
    const asleep = count === 0 ? 0 : await putToSleep(subject, sql, count)
    await sql('VACUUM ANALYZE')
    await sql('CHECKPOINT')
    const kind = 'steps'
    await subject.call('workflows', { kind, inFlight, seconds: Math.min(warmSeconds, seconds), max })
    const ran = await subject.call('workflows', { kind, inFlight, seconds, max })
    const { residentBytes } = await subject.call('usage')
    return {
      ...{ workflows: ran.count / ran.seconds, p50: ran.latency.p50, p99: ran.latency.p99 },
      ...{ resident: residentBytes / mebibyte, asleep },
    }
  })
}

// They wake in a year and some: each at a time of its own, as in life.
const copyInstances = (count: number) => `
INSERT INTO eventspine.workflow (tenant, name, id, version, state, entries, parent, wake_at, deadline_at, started_at, changed_at)
SELECT w.tenant, w.name, 'asleep ' || n, w.version, w.state, w.entries, w.parent, w.wake_at + n * interval '1 s',
  w.deadline_at + n * interval '1 s', w.started_at, w.changed_at
FROM eventspine.workflow w CROSS JOIN generate_series(1, ${count - 1}) AS n WHERE w.id = 'asleep 0'`

const copyEntries = `
INSERT INTO eventspine.workflow_entry (number, position, kind, place, name, data, at, token)
SELECT w.number, e.position, e.kind, e.place, e.name, e.data, e.at, e.token
FROM eventspine.workflow w CROSS JOIN (
  SELECT e.* FROM eventspine.workflow_entry e JOIN eventspine.workflow o USING (number) WHERE o.id = 'asleep 0') e
WHERE w.name = 'asleep' AND w.id <> 'asleep 0'`

/** How many sleep. */
async function putToSleep(subject: Subject, sql: Sql, count: number): Promise<number> {
  await subject.call('sleepWorkflow', { id: 'asleep 0' })
  await sql(copyInstances(count))
  await sql(copyEntries)
  const [row] = await sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM eventspine.workflow WHERE name = 'asleep' AND wake_at > now() + interval '300 days'`,
  )
  return row?.count ?? 0
}
