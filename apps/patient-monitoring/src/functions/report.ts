// What the next shift wants to know: how many alarms, of which kind, how soon somebody came, which beds are worst. Written at the end
// of each shift from what history and charts have by then; written again, it is as of then.
import { defineSubscription } from 'eventspine'
import { schedule } from 'eventspine/workflow'
import { shiftEnded } from '../events.js'
import { recordClass } from '../policies.js'

const shiftEnd = ['06:00', '14:00', '22:00']
const dayMs = 24 * 3_600_000
/** Zones differ, and clocks are put forward and back, by multiples of this. */
const quarterMs = 15 * 60_000

export const shiftEnds = (timeZone: string) =>
  schedule({
    name: 'shift-end',
    description: 'At 6, 14 and 22 o’clock',
    cron: '0 6,14,22 * * *',
    timeZone,
    event: shiftEnded,
    data: ({ at }) => ({ from: shiftStart(at, timeZone).toISOString(), to: at.toISOString() }),
  })

/** When the shift before has ended: in the nights in which clocks are put forward or back that is not eight hours ago. */
function shiftStart(end: Date, timeZone: string): Date {
  const clock = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  })
  for (let beforeMs = quarterMs; beforeMs <= dayMs; beforeMs += quarterMs) {
    const start = new Date(end.getTime() - beforeMs)
    if (shiftEnd.includes(clock.format(start))) return start
  }
  throw new RangeError(`No shift has ended in the day before ${end.toISOString()} in ${timeZone}.`)
}

export const report = defineSubscription({
  name: 'report',
  description: 'Writes the report of a shift.',
  on: shiftEnded,
  start: recordClass.start,
  deadlineMs: recordClass.deadlineMs,
  async transact({ data: { from, to } }, { tx }) {
    await tx.query(write, [from, to])
  },
})

const write = `
  WITH raised AS (
    SELECT a.*,
      (SELECT min(s.at) FROM ward.alarm_step AS s WHERE s.alarm = a.id AND s.what = 'alarm-acknowledged') AS acknowledged_at,
      EXISTS (SELECT FROM ward.alarm_step AS s WHERE s.alarm = a.id AND s.what = 'alarm-unanswered') AS unanswered
    FROM ward.alarm AS a
    WHERE EXISTS (
      SELECT FROM ward.alarm_step AS s
      WHERE s.alarm = a.id AND s.what = 'alarm-raised' AND s.at >= $1 AND s.at < $2)
  ), told AS (
    SELECT r.*, (SELECT s.at FROM ward.alarm_step AS s WHERE s.alarm = r.id AND s.what = 'alarm-raised' LIMIT 1) AS told_at
    FROM raised AS r
  ), by_rule AS (
    SELECT ward, rule, count(*)::int AS alarms FROM raised GROUP BY ward, rule
  ), worst AS (
    SELECT b.ward, b.bed, b.score, b.trend,
      row_number() OVER (PARTITION BY b.ward ORDER BY b.score DESC, b.trend DESC, b.bed) AS place
    FROM ward.board AS b WHERE b.score IS NOT NULL
  )
  INSERT INTO ward.report AS old (ward, from_at, to_at, body)
  SELECT w.ward, $1, $2, jsonb_build_object(
    'beds', count(*),
    'alarms', (SELECT jsonb_build_object(
        'high', count(*) FILTER (WHERE priority = 'high'), 'medium', count(*) FILTER (WHERE priority = 'medium'),
        'low', count(*) FILTER (WHERE priority = 'low'), 'acknowledged', count(acknowledged_at),
        'unanswered', count(*) FILTER (WHERE unanswered),
        'medianSecondsToAcknowledge', percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM acknowledged_at - told_at)))
      FROM told AS t WHERE t.ward = w.ward),
    'rules', (SELECT coalesce(jsonb_object_agg(rule, alarms), '{}') FROM by_rule AS r WHERE r.ward = w.ward),
    'worst', (SELECT coalesce(jsonb_agg(jsonb_build_object('bed', bed, 'score', score, 'trend', trend) ORDER BY place), '[]')
      FROM worst WHERE worst.ward = w.ward AND place <= 10))
  FROM ward.board AS w GROUP BY w.ward
  ON CONFLICT (ward, from_at, to_at) DO UPDATE SET body = excluded.body, written_at = clock_timestamp()`
