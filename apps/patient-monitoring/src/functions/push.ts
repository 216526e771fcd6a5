// Hands one alarm to the push service of one device. A device that does not answer has a breaker of its own; what will not come is
// said, so that another device is tried.
import { defineSubscription, retries, TransientError } from 'eventspine'
import type { Database } from '../database.js'
import { pushAsked, pushFailed, pushHandedOver } from '../events.js'
import type { KeyChain } from '../keys.js'
import { alarmClass, pushBreaker } from '../policies.js'
import { outcomeOf, type PushAnswer, sendPush } from '../push-message.js'

export interface PushSettings {
  /** Who sends: `mailto:` or `https:`, for the people of the push service. */
  readonly subject: string
  /** How long a push service may take to answer. */
  readonly answerMsMax: number
}

const retry = retries.alarm({ attemptsMax: 4 })

export const push = (database: Database, keys: KeyChain, settings: PushSettings) =>
  defineSubscription({
    name: 'push',
    description: 'Hands an alarm to the push service of a device.',
    on: pushAsked,
    ...alarmClass,
    retry,
    concurrency: 50,
    breaker: pushBreaker,
    async handle({ data }, context) {
      const { alarm, person, device } = data
      if (await isAcknowledged(database, alarm.id)) return
      const token = await keys.acknowledgementToken(alarm.id, person)
      const message = {
        ...{ id: alarm.id, subject: settings.subject },
        body: { alarm, person, acknowledge: { path: acknowledgementPath(alarm.id), person, token } },
      }
      const { signal } = context
      const failed = async (reason: 'gone' | 'refused' | 'no-answer', detail: string) => {
        await context.publish(pushFailed, {
          alarm,
          person,
          device: device.id,
          reason,
          detail: detail.slice(0, 300),
        })
      }
      const answer = await sendPush(await keys.read(), device, message, { ...settings, signal }).catch(
        (error: unknown): PushAnswer | string => whyNot(error),
      )
      const outcome =
        typeof answer === 'string'
          ? { kind: 'later' as const, detail: answer, retryAfterMs: 0 }
          : outcomeOf(answer)
      if (outcome.kind === 'handed-over') {
        const at = new Date().toISOString()
        await context.publish(pushHandedOver, { alarm, person, device: device.id, at })
        return
      }
      const { kind, detail, retryAfterMs } = outcome
      if (kind !== 'later') return failed(kind, detail)
      if (context.attempt >= retry.attemptsMax) return failed('no-answer', detail)
      throw new TransientError(detail, { retryAfterMs })
    },
  })

export const acknowledgementPath = (alarm: string) => `/alarms/${encodeURIComponent(alarm)}/acknowledgements`

/** Looked at before each attempt: nobody is told of what somebody has in hand. */
async function isAcknowledged(database: Database, alarm: string): Promise<boolean> {
  return (await database.query('SELECT FROM ward.acknowledgement WHERE alarm = $1', [alarm])).length > 0
}

function whyNot(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error))
  return `The push service did not answer: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}`
}
