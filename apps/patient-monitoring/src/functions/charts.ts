// Aggregates of each minute and each hour, by the time at which a reading was taken: one that comes late, or before its
// predecessor, lands where it belongs. Artefacts are counted, and are in no mean. To make them anew: truncate ward.chart, then replay.
import { defineSubscription, type EventOf, type Transaction } from 'eventspine'
import { readingsTaken } from '../events.js'
import { recordClass } from '../policies.js'

export const charts = defineSubscription({
  name: 'charts',
  description: 'Aggregates readings per minute and per hour.',
  on: readingsTaken,
  ...recordClass,
  // A reading lands where it belongs in whatever order: so the statements of many go to the database together, instead of each
  // waiting for the one before it. They are of one transaction, and no other one writes these rows.
  ordered: false,
  concurrency: 100,
  transact: ({ data }, { tx }) => chart(tx, data),
})

export async function chart(
  tx: Transaction,
  { bed, readings }: EventOf<typeof readingsTaken>['data'],
): Promise<void> {
  await tx.query(aggregate, [
    bed,
    readings.map(({ parameter }) => parameter),
    readings.map(({ value }) => value),
    readings.map(({ takenAt }) => takenAt),
    readings.map(({ artefact }) => artefact),
  ])
}

const aggregate = `
  INSERT INTO ward.chart AS c
    (bed, parameter, span, start, readings, sum, lowest, highest, last, last_at, artefacts)
  SELECT $1, parameter, span, date_trunc(span, at, 'UTC'),
    count(*) FILTER (WHERE NOT artefact),
    coalesce(sum(value) FILTER (WHERE NOT artefact), 0),
    min(value) FILTER (WHERE NOT artefact),
    max(value) FILTER (WHERE NOT artefact),
    (array_agg(value ORDER BY at DESC, n DESC) FILTER (WHERE NOT artefact))[1],
    max(at) FILTER (WHERE NOT artefact),
    count(*) FILTER (WHERE artefact)
  FROM unnest($2::text[], $3::float8[], $4::timestamptz[], $5::boolean[])
         WITH ORDINALITY AS reading (parameter, value, at, artefact, n),
       unnest(ARRAY['minute', 'hour']) AS span
  GROUP BY parameter, span, date_trunc(span, at, 'UTC')
  -- Everybody locks rows in the same order.
  ORDER BY parameter, span, date_trunc(span, at, 'UTC')
  ON CONFLICT (bed, parameter, span, start) DO UPDATE SET
    readings = c.readings + excluded.readings,
    sum = c.sum + excluded.sum,
    lowest = least(c.lowest, excluded.lowest),
    highest = greatest(c.highest, excluded.highest),
    last = CASE WHEN c.last_at IS NULL OR excluded.last_at >= c.last_at THEN excluded.last ELSE c.last END,
    last_at = greatest(c.last_at, excluded.last_at),
    artefacts = c.artefacts + excluded.artefacts`
