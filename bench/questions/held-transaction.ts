// What happens while another session holds a transaction open (with a transaction id and a snapshot), for 60 s? Half
// of the time is a flood, half is 1,000 events/s; the same without that session in turn. Target: throughput at least
// 80 %, p99 at most 2 times, and nothing waits for the transaction to end.
import pg from 'pg'
import {
  alternate,
  atLeast,
  atMost,
  maxOf,
  medianOf,
  type Question,
  ratio,
  type Sample,
} from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { floodOnce, floodUnits } from '../core/measure.js'
import { type Run, wholePart } from '../core/run.js'
import type { SystemName } from '../systems/system.js'

const question = 'held-transaction'
const eventsPerSecond = 1_000
/** What was not handled after so long without progress waits for the transaction. */
const stillMs = 5_000

export const heldTransaction: Question = {
  name: question,
  title: 'While another session holds a transaction open',
  async measure(lab) {
    const contestants = lab.systemsOrOwn
      .filter((system) => system !== 'bullmq')
      .flatMap((system) => [
        { system: `${system} alone`, run: () => load(lab, system, false) },
        { system: `${system} beside it`, run: () => load(lab, system, true) },
      ])
    const units = { ...floodUnits, 'open at its end': 'deliveries' }
    const figures = await alternate(lab, question, units, contestants)
    const compared = (metric: string) =>
      ratio(medianOf(figures, 'eventspine beside it', metric), medianOf(figures, 'eventspine alone', metric))
    return {
      figures,
      verdicts: [
        atLeast(question, 'throughput >= 80 % of that without', compared('handled'), 0.8),
        atMost(question, 'p99 <= 2x that without', compared('p99'), 2),
        atMost(
          question,
          'nothing waits for its end, in any run',
          maxOf(figures, 'eventspine beside it', 'open at its end'),
          0,
        ),
      ],
      settings: { heldSeconds: lab.options.scale.heldSeconds, eventsPerSecond },
    }
  },
}

async function load(lab: Lab, system: SystemName, beside: boolean): Promise<Sample> {
  const seconds = lab.options.scale.heldSeconds / 2
  return lab.run(system, wholePart, async (run) => {
    const subject = await run.open(wholePart)
    await run.warm(subject, [subject], wholePart)
    const holder = beside ? await hold(run) : undefined
    try {
      const { sent: _sent, ...flooded } = await floodOnce(lab, run, subject, wholePart, seconds)
      await subject.call('forget')
      const { eventsMax } = lab.options.scale
      const { sent } = await run.pace(subject, {
        eventsPerSecond,
        seconds,
        eventsMax,
        seed: lab.options.seed,
      })
      const { handled } = await run.awaited([subject], sent, stillMs)
      const { p50, p99, max } = await run.latencies(subject)
      // Fails when the session did not hold until here.
      await holder?.query('SELECT 1')
      return { ...flooded, p50, p99, max, 'open at its end': sent - handled }
    } finally {
      await holder?.end()
    }
  })
}

async function hold(run: Run): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: run.place.databaseUrl,
    application_name: 'held transaction',
  })
  client.on('error', () => {})
  await client.connect()
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await client.query('SELECT pg_current_xact_id(), count(*) FROM pg_class')
  return client
}
