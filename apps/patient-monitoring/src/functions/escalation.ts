// Who is told, and when it is the next one's turn: a process of minutes that goes on where its process died. The first person is
// told by the event of the alarm itself, so that nothing of this stands between the two. Who comes next is who is on duty by then.
import { retries } from 'eventspine'
import { type WorkflowContext, workflow } from 'eventspine/workflow'
import {
  type AlarmBrief,
  acknowledgementGiven,
  actorCharactersMax,
  alarmAcknowledged,
  alarmRaised,
  alarmUnanswered,
  dutySet,
  otherDeviceDue,
  personDue,
  personUnreachable,
  pushHandedOver,
} from '../events.js'
import { DutyRoster } from './duty-roster.js'

export interface EscalationSettings {
  /** How long a person has to acknowledge. */
  readonly answerMs: number
  /** How long one of their devices has to take it, before another is tried beside it. */
  readonly reachMs: number
}

/** Who is on duty in a ward now, one after another. */
export type OnDuty = (ward: string) => Promise<readonly string[]>

type Answer = 'acknowledged' | 'nothing'

/** Somebody has acknowledged it after all, or has said that somebody is there, or that nobody is; or somebody has come on duty. */
type End = 'acknowledged' | { readonly takenBy: string } | { readonly refusedBy: string | undefined }

export const escalation = (settings: EscalationSettings, onDuty: OnDuty) =>
  workflow({
    name: 'escalation',
    // Of 1 the list of people stood still from the alarm on.
    version: 2,
    description: 'Tells one person after another, until somebody acknowledges.',
    priority: 'alarm',
    on: { event: alarmRaised, id: ({ data }) => data.id },
    waitsFor: [alarmAcknowledged, personUnreachable, pushHandedOver, dutySet],
    deadlineMs,
    run: async (ctx, { people, beganAt: _, ...alarm }) => {
      const roster = new DutyRoster(people)
      /** Who has said last that nobody is there. */
      let refusedBy: string | undefined
      let asked = 0
      for (;;) {
        const person = await nextOf(ctx, roster, alarm, onDuty)
        if (person !== undefined) {
          const isFirst = roster.tell(person) === 1 && person === people[0]
          if (!isFirst) await ctx.publish(personDue, { alarm, person })
          const answer = await answerOf(ctx, alarm, person, { ...settings, roster })
          if (answer === 'acknowledged') return answer
          continue
        }
        if (refusedBy === undefined) await ctx.publish(alarmUnanswered, { alarm })
        asked += 1
        const end = await needsAttention(ctx, alarm, roster, { asked, refusedBy })
        if (end === 'acknowledged') return end
        if ('takenBy' in end) {
          // By it the board, the history and whoever is told next know that somebody has it in hand.
          await ctx.publish(acknowledgementGiven, { alarm: alarm.id, person: end.takenBy })
          return 'taken over'
        }
        refusedBy = end.refusedBy
      }
    },
  })

/** A shift and a half: one that is open for longer is an alarm of its own. */
const deadlineMs = 12 * 3_600_000

/** Nobody waits longer for the list; then it is that of before. */
const askedMsMax = 2_000

/** Whose turn it is; undefined when everybody who is on duty was told. The first was on duty when the alarm was raised, a moment ago. */
async function nextOf(
  ctx: WorkflowContext,
  roster: DutyRoster,
  { ward }: AlarmBrief,
  onDuty: OnDuty,
): Promise<string | undefined> {
  if (roster.mayBeOld) {
    const options = { deadlineMs: askedMsMax, retry: retries.none() }
    const people = await ctx.step('who is on duty', () => onDuty(ward), options).catch(() => undefined)
    if (people !== undefined) roster.read(people)
  }
  return roster.next
}

/** Waits for anybody's acknowledgement, for as long as this person has, and is on duty. */
function answerOf(
  ctx: WorkflowContext,
  alarm: AlarmBrief,
  person: string,
  { answerMs, reachMs, roster }: EscalationSettings & { readonly roster: DutyRoster },
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
    async (own) => {
      await dutyUntil(own, alarm, roster, () => !roster.has(person))
      return 'nothing'
    },
  ])
}

/** Follows who is on duty until that is so. */
async function dutyUntil(
  ctx: WorkflowContext,
  { ward }: AlarmBrief,
  roster: DutyRoster,
  isSo: () => boolean,
): Promise<void> {
  do {
    const set = await ctx.waitFor(dutySet, { key: ward })
    if (set !== undefined) roster.set(set.data.people)
  } while (!isSo())
}

/** Everybody was told. Now it is an open question, where people look for what waits for them; an acknowledgement still ends it, and so does
 *  somebody who comes on duty and was not told. */
function needsAttention(
  ctx: WorkflowContext,
  alarm: AlarmBrief,
  roster: DutyRoster,
  { asked, refusedBy }: { readonly asked: number; readonly refusedBy: string | undefined },
): Promise<End> {
  // Each under a name of its own, so that whoever decides need not say which is meant.
  const question = asked === 1 ? 'somebody is there' : `somebody is there, ${asked}`
  return ctx.race<End>([
    async (own) => {
      await own.waitFor(alarmAcknowledged, { key: alarm.id })
      return 'acknowledged'
    },
    async (own) => {
      await dutyUntil(own, alarm, roster, () => roster.next !== undefined)
      return { refusedBy: undefined }
    },
    async (own) => {
      const before = refusedBy === undefined ? '' : ` ${refusedBy} has said that nobody was.`
      const text = `Nobody has acknowledged: ${alarm.text}, bed ${alarm.bed}. Approve once somebody is there.${before}`
      const decision = await own.approval(question, { to: roster.lead ?? 'the ward', text })
      const by = (decision?.by ?? 'somebody').slice(0, actorCharactersMax)
      return decision?.approved === true ? { takenBy: by } : { refusedBy: by }
    },
  ])
}
