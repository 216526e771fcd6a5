// Aggregates of each minute and each hour, by the time at which a reading was taken: one that comes late, or before its
// predecessor, lands where it belongs. Artefacts are counted, and are in no mean; what came too late to be an alarm is
// counted, too. To make them anew: truncate ward.chart, then replay.
import { defineSubscription, type EventOf, type Transaction } from 'eventspine'
import { readingsTaken } from '../events.js'
import { recordBatch, recordClass } from '../policies.js'
import { type Arrival, isTooLate } from '../rules/arrival.js'

/** `ageMsMax`: what was older when it came in is marked. */
export const charts = (ageMsMax: number) =>
  defineSubscription({
    name: 'charts',
    description: 'Aggregates readings per minute and per hour.',
    on: readingsTaken,
    ...recordClass,
    ordered: false,
    batch: recordBatch,
    // A reading lands where it belongs in whatever order. One statement for all that waits: most readings of a bed fall into the same
    // minute, and so into one row.
    transactMany: (deliveries, { tx }) =>
      chart(
        tx,
        deliveries.map(({ event: { data, time } }) => ({ ...data, arrivedMs: Date.parse(time) })),
        ageMsMax,
      ),
  })

type Taken = Pick<EventOf<typeof readingsTaken>['data'], 'bed' | 'readings'> & Pick<Arrival, 'arrivedMs'>

export async function chart(tx: Transaction, taken: readonly Taken[], ageMsMax: number): Promise<void> {
  const all = taken.flatMap(({ bed, readings, arrivedMs }) =>
    readings.map((reading) => ({
      ...{ bed, ...reading },
      tooLate: isTooLate(Date.parse(reading.takenAt), { arrivedMs, ageMsMax }),
    })),
  )
  await tx.query(aggregate, [
    all.map(({ bed }) => bed),
    all.map(({ parameter }) => parameter),
    all.map(({ value }) => value),
    all.map(({ takenAt }) => takenAt),
    all.map(({ artefact }) => artefact),
    all.map(({ tooLate }) => tooLate),
  ])
}

const aggregate = `
  INSERT INTO ward.chart AS c
    (bed, parameter, span, start, readings, sum, lowest, highest, last, last_at, artefacts, too_late)
  SELECT bed, parameter, span, date_trunc(span, at, 'UTC'),
    count(*) FILTER (WHERE NOT artefact),
    coalesce(sum(value) FILTER (WHERE NOT artefact), 0),
    min(value) FILTER (WHERE NOT artefact),
    max(value) FILTER (WHERE NOT artefact),
    (array_agg(value ORDER BY at DESC, n DESC) FILTER (WHERE NOT artefact))[1],
    max(at) FILTER (WHERE NOT artefact),
    count(*) FILTER (WHERE artefact),
    count(*) FILTER (WHERE too_late)
  FROM unnest($1::text[], $2::text[], $3::float8[], $4::timestamptz[], $5::boolean[], $6::boolean[])
         WITH ORDINALITY AS reading (bed, parameter, value, at, artefact, too_late, n),
       unnest(ARRAY['minute', 'hour']) AS span
  GROUP BY bed, parameter, span, date_trunc(span, at, 'UTC')
  -- Everybody locks rows in the same order.
  ORDER BY bed, parameter, span, date_trunc(span, at, 'UTC')
  ON CONFLICT (bed, parameter, span, start) DO UPDATE SET
    readings = c.readings + excluded.readings,
    sum = c.sum + excluded.sum,
    lowest = least(c.lowest, excluded.lowest),
    highest = greatest(c.highest, excluded.highest),
    last = CASE WHEN c.last_at IS NULL OR excluded.last_at >= c.last_at THEN excluded.last ELSE c.last END,
    last_at = greatest(c.last_at, excluded.last_at),
    artefacts = c.artefacts + excluded.artefacts,
    too_late = c.too_late + excluded.too_late`
