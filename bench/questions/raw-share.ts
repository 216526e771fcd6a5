// How near is it to what PostgreSQL takes at most: the same rows, inserted into a table of the same shape by bare
// UNNEST statements in the same run? Target: events published and handled reach at least 70 % of that. (Publishing
// alone is told beside it.)
import { alternate, atLeast, medianOf, type Question, ratio, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { wholePart } from '../core/run.js'
import type { Part, SystemName } from '../systems/system.js'

const question = 'raw-share'
/** As many rows as one statement of Eventspine takes at most. */
const rawBatchEvents = 2_000
const units = { rate: 'events/s' }

export const rawShare: Question = {
  name: question,
  title: 'Share of the raw limit: the same rows by bare UNNEST statements',
  async measure(lab) {
    const contestant = (name: string, system: SystemName, part: Part) => ({
      system: name,
      run: () => fill(lab, system, part),
    })
    const only = { ...wholePart, works: false }
    const figures = await alternate(lab, question, units, [
      contestant('raw', 'raw', only),
      contestant('eventspine publishing', 'eventspine', only),
      contestant('eventspine publishing and handling', 'eventspine', wholePart),
    ])
    const limit = medianOf(figures, 'raw', 'rate')
    const share = (name: string) => ratio(medianOf(figures, name, 'rate'), limit)
    return {
      figures,
      verdicts: [
        atLeast(
          question,
          'published and handled: >= 70 % of raw',
          share('eventspine publishing and handling'),
          0.7,
        ),
        atLeast(question, 'published: >= 70 % of raw', share('eventspine publishing'), 0.7),
      ],
      settings: { rawBatchEvents, rawConnections: 2 },
    }
  },
}

async function fill(lab: Lab, system: SystemName, part: Part): Promise<Sample> {
  const { rawEvents, warmEvents } = lab.options.scale
  return lab.run(system, part, async (run) => {
    const subject = await run.open(part)
    const flood = async (events: number) => {
      const flooded =
        system === 'raw'
          ? await subject.call('flood', {
              ...{ seconds: 600, eventsMax: events, backlogEventsMax: null },
              ...{ lanes: 2, batchEvents: rawBatchEvents },
            })
          : await run.flood(subject, events, 600, part.works)
      const endedAtMs = part.works
        ? (await run.handled([subject], flooded.sent)).lastAtMs
        : flooded.publishedAtMs
      return { sent: flooded.sent, rate: flooded.sent / ((endedAtMs - flooded.beganAtMs) / 1000) }
    }
    const warm = await flood(warmEvents)
    await subject.call('forget')
    const { sent, rate } = await flood(rawEvents)
    await run.close(subject)
    const table = system === 'raw' ? 'raw.event' : 'eventspine.event'
    const [stored] = await run.sql<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)
    if (stored?.count !== warm.sent + sent)
      throw new Error(`${stored?.count} rows in ${table}, not ${warm.sent + sent}`)
    return { rate }
  })
}
