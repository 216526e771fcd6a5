// Looks for beds from which nothing comes, by the database's clock. It tells; whether it is an alarm is judged where all alarms are,
// behind what has come in meanwhile.
import { defineSubscription } from 'eventspine'
import { schedule } from 'eventspine/workflow'
import { deviceSilent, silenceWatchDue } from '../events.js'
import { alarmClass } from '../policies.js'
import { tellRefusals } from './refusals.js'

/** Told of at one look. The others are found by the next. */
const bedsMax = 1_000

export const silenceWatch = schedule({
  name: 'silence-watch',
  description: 'Every ten seconds',
  cron: '*/10 * * * * *',
  event: silenceWatchDue,
  data: () => ({}),
  missed: 'skip',
})

export const watch = (silentMs: number) =>
  defineSubscription({
    name: 'watch',
    description: 'Notices beds from which nothing comes, and devices that are refused.',
    on: silenceWatchDue,
    ...alarmClass,
    async transact(_event, context) {
      const { rows } = await context.tx.query<{ bed: string; ward: string; heard_at: Date }>(
        `SELECT bed, ward, heard_at FROM ward.bed
         WHERE heard_at < clock_timestamp() - $1 * interval '1 ms'
           AND state #>> '{episodes,device-silent,phase}' IS DISTINCT FROM 'active'
         ORDER BY heard_at LIMIT $2`,
        [silentMs, bedsMax],
      )
      await tellRefusals(context)
      for (const { bed, ward, heard_at: heardAt } of rows)
        await context.publish(deviceSilent, { ward, bed, noticedBy: 'watch', heardAt: heardAt.toISOString() })
    },
  })
