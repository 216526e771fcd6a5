// Devices that speak of a bed of another ward, and are refused: whoever was named first has the bed, rightly or not, and nothing of what the
// others measure is an alarm. So it is one that they are refused, told to the ward whose devices speak.
import type { TransactionContext } from 'eventspine'
import { alarmEnded, alarmRaised } from '../events.js'
import { refusalRule } from '../rules/limits.js'
import { onDuty } from './qualify.js'

/** As long as none was refused, it is over. */
const overAfter = '15 minutes'

export async function tellRefusals(context: TransactionContext): Promise<void> {
  await end(context)
  await raise(context)
}

async function raise({ tx, publish }: TransactionContext): Promise<void> {
  const { rows } = await tx.query<{ bed: string; ward: string; own: string; at: Date; alarm: string }>(
    `UPDATE ward.refused AS r SET alarm = r.bed || '.${refusalRule.name}.' || r.ward || '.' || to_char(r.refused_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS.MS"Z"')
     FROM ward.bed AS b WHERE b.bed = r.bed AND b.ward <> r.ward AND r.alarm IS NULL
     RETURNING r.bed, r.ward, b.ward AS own, r.refused_at AS at, r.alarm`,
  )
  if (rows.length === 0) return
  const duty = await onDuty(tx, [...new Set(rows.map(({ ward }) => ward))])
  const { name: rule, priority } = refusalRule
  for (const { bed, ward, own, at, alarm: id } of rows) {
    const [text, times] = [
      `${refusalRule.text} ${own}`,
      { beganAt: at.toISOString(), raisedAt: at.toISOString() },
    ]
    const people = duty.get(ward) ?? []
    await publish(alarmRaised, { id, ward, bed, rule, priority, text, value: null, ...times, people }, { id })
  }
}

async function end({ tx, publish }: TransactionContext): Promise<void> {
  const { rows } = await tx.query<{ bed: string; ward: string; alarm: string | null }>(
    `DELETE FROM ward.refused AS r
     WHERE r.refused_at < clock_timestamp() - interval '${overAfter}'
        OR NOT EXISTS (SELECT FROM ward.bed AS b WHERE b.bed = r.bed AND b.ward <> r.ward)
     RETURNING bed, ward, alarm`,
  )
  const endedAt = new Date().toISOString()
  for (const { bed, ward, alarm: id } of rows)
    if (id !== null) await publish(alarmEnded, { id, ward, bed, rule: refusalRule.name, endedAt })
}
