// Hands one alarm to the push service of one device. One that does not answer is tried again, behind a breaker of its own; that it
// will not take the alarm is said at once, so that another is tried.
import { defineSubscription, retries, TransientError } from 'eventspine'
import type { Database } from '../database.js'
import { pushAsked, pushFailed, pushHandedOver } from '../events.js'
import type { KeyChain } from '../keys.js'
import { alarmClass, pushBreaker } from '../policies.js'
import { isOfPushService, outcomeOf, sendPush } from '../push-message.js'

export interface PushSettings {
  /** Who sends: `mailto:` or `https:`, for the people of the push service. */
  readonly subject: string
  /** How long a push service may take to answer. */
  readonly answerMsMax: number
  /** Where phones may be told to send to. `*.` in front of a host stands for one name or more. */
  readonly pushOrigins: readonly string[]
}

export const push = (
  database: Database,
  keys: KeyChain,
  { subject, answerMsMax, pushOrigins }: PushSettings,
) =>
  defineSubscription({
    name: 'push',
    description: 'Hands an alarm to the push service of a device.',
    on: pushAsked,
    ...alarmClass,
    retry: retries.alarm({ attemptsMax: 6 }),
    concurrency: 50,
    breaker: pushBreaker,
    async handle({ data: { alarm, person, device } }, { publish, signal }) {
      const to = { alarm, person, device: device.id }
      const { isAcknowledged, isTheirs } = await standingOf(database, to)
      if (isAcknowledged) return
      if (!isTheirs) {
        await publish(pushFailed, { ...to, reason: 'gone', detail: 'The device was taken away' })
        return
      }
      // Judged when it was registered; but an event can come another way, and what was allowed then need not be today.
      if (!isOfPushService(device.endpoint, pushOrigins)) {
        const detail = 'Its endpoint is of no push service that is known here'
        await publish(pushFailed, { ...to, reason: 'refused', detail })
        return
      }
      const token = await keys.acknowledgementToken(alarm.id, person)
      const body = { alarm, person, acknowledge: { path: acknowledgementPath(alarm.id), person, token } }
      const message = { id: alarm.id, subject, body }
      const outcome = outcomeOf(await sendPush(await keys.read(), device, message, { answerMsMax, signal }))
      if (outcome.kind === 'handed-over')
        await publish(pushHandedOver, { ...to, at: new Date().toISOString() })
      else if (outcome.kind !== 'later')
        await publish(pushFailed, { ...to, reason: outcome.kind, detail: outcome.detail })
      // Thrown, and so counted by the breaker. Who waits for this alarm does not wait for it: see escalation.
      else throw new TransientError(outcome.detail, { retryAfterMs: outcome.retryAfterMs })
    },
  })

export const acknowledgementPath = (alarm: string) => `/alarms/${encodeURIComponent(alarm)}/acknowledgements`

/** Looked at before each attempt: nobody is told of what somebody has in hand, or on a device that is not theirs any more. */
async function standingOf(
  database: Database,
  { alarm, person, device }: { alarm: { id: string }; person: string; device: string },
): Promise<{ readonly isAcknowledged: boolean; readonly isTheirs: boolean }> {
  const [standing] = await database.query<{ isAcknowledged: boolean; isTheirs: boolean }>(
    `SELECT EXISTS (SELECT FROM ward.acknowledgement WHERE alarm = $1) AS "isAcknowledged",
       EXISTS (SELECT FROM ward.device WHERE id = $2 AND person = $3) AS "isTheirs"`,
    [alarm.id, device, person],
  )
  return standing ?? { isAcknowledged: false, isTheirs: true }
}
