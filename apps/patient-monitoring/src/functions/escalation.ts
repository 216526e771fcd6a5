// Who is told, and when it is the next one's turn: a process of minutes that goes on where its process died. The first person is
// told by the event of the alarm itself, so that nothing of this stands between the two.
import { type WorkflowContext, workflow } from 'eventspine/workflow'
import {
  type AlarmBrief,
  alarmAcknowledged,
  alarmRaised,
  alarmUnanswered,
  otherDeviceDue,
  personDue,
  personUnreachable,
  pushHandedOver,
} from '../events.js'

export interface EscalationSettings {
  /** How long a person has to acknowledge. */
  readonly answerMs: number
  /** How long one of their devices has to take it, before another is tried beside it. */
  readonly reachMs: number
}

type Answer = 'acknowledged' | 'nothing'

export const escalation = (settings: EscalationSettings) =>
  workflow({
    name: 'escalation',
    description: 'Tells one person after another, until somebody acknowledges.',
    priority: 'alarm',
    on: { event: alarmRaised, id: ({ data }) => data.id },
    waitsFor: [alarmAcknowledged, personUnreachable, pushHandedOver],
    deadlineMs,
    run: async (ctx, { people, beganAt: _, ...alarm }) => {
      for (const [index, person] of people.entries()) {
        if (index > 0) await ctx.publish(personDue, { alarm, person })
        if ((await answerOf(ctx, alarm, person, settings)) === 'acknowledged') return 'acknowledged'
      }
      await ctx.publish(alarmUnanswered, { alarm })
      return needsAttention(ctx, alarm, people.at(-1))
    },
  })

/** A shift and a half: one that is open for longer is an alarm of its own. */
const deadlineMs = 12 * 3_600_000

/** Waits for anybody's acknowledgement, for as long as this person has. */
function answerOf(
  ctx: WorkflowContext,
  alarm: AlarmBrief,
  person: string,
  { answerMs, reachMs }: EscalationSettings,
): Promise<Answer> {
  const of = { key: alarm.id }
  const ofPerson = { ...of, where: ({ data }: { data: { person: string } }) => data.person === person }
  return ctx.race<Answer>([
    async (own) => {
      const seen = await own.waitFor(alarmAcknowledged, of, { timeoutMs: answerMs })
      return seen === undefined ? 'nothing' : 'acknowledged'
    },
    async (own) => {
      await own.waitFor(personUnreachable, ofPerson, { timeoutMs: answerMs })
      return 'nothing'
    },
    async (own) => {
      const taken = await own.waitFor(pushHandedOver, ofPerson, { timeoutMs: reachMs })
      if (taken === undefined) await own.publish(otherDeviceDue, { alarm, person })
      await own.sleep(answerMs)
      return 'nothing'
    },
  ])
}

/** Everybody was told. Now it is an open question, where people look for what waits for them; an acknowledgement still ends it. */
function needsAttention(ctx: WorkflowContext, alarm: AlarmBrief, lead = 'the ward'): Promise<string> {
  return ctx.race([
    async (own) => {
      await own.waitFor(alarmAcknowledged, { key: alarm.id })
      return 'acknowledged'
    },
    async (own) => {
      const text = `Nobody has acknowledged: ${alarm.text}, bed ${alarm.bed}. Approve once somebody is there.`
      await own.approval('somebody is there', { to: lead, text })
      return 'taken over'
    },
  ])
}
