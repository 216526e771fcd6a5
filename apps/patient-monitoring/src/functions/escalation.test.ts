// Who is told, and when, in virtual time: minutes and days cost none.
import { defineApp } from 'eventspine'
import { approving, type Outcomes, publishing, scenario, waiting } from 'eventspine/testing'
import { expect, test } from 'vitest'
import {
  type AlarmBrief,
  alarmAcknowledged,
  alarmRaised,
  dutySet,
  events,
  personUnreachable,
  pushHandedOver,
} from '../events.js'
import { escalation } from './escalation.js'

const second = 1_000
const minute = 60 * second
/** What the database says of who is on duty. */
let kept: readonly string[] = []
const calling = escalation({ answerMs: minute, reachMs: 15 * second }, async () => {
  if (kept[0] === 'away') throw new Error('The database is away')
  return kept
})
const app = defineApp({ name: 'ward', events, workflows: [calling] })
const at = '2026-01-01T00:00:00.000Z'
const alarm: AlarmBrief = {
  ...{ id: '7.pulse-high.1', ward: 'icu', bed: '7', rule: 'pulse-high', priority: 'medium' },
  ...{ text: 'heart rate high', value: 140, raisedAt: at },
}
const raised = (...people: string[]) => {
  kept = people
  return publishing(alarmRaised, { ...alarm, beganAt: at, people })
}
const onDuty = (...people: string[]) => publishing(dutySet, { ward: 'icu', people })
const acknowledged = publishing(alarmAcknowledged, { alarm: alarm.id, person: 'ann', at })
const unreachable = (person: string) => publishing(personUnreachable, { alarm, person })
const handedOver = (person: string) => publishing(pushHandedOver, { alarm, person, device: 'd', at })

/** What it did, in order: `person-due ben`. */
const told = ({ published }: Outcomes) =>
  published.map(({ type, data }) => {
    const { person } = data as { person?: string }
    return `${type.replace('ward.', '')}${person === undefined ? '' : ` ${person}`}`
  })
const standing = ({ workflows }: Outcomes) =>
  workflows.map(({ state, questions, output }) => [state, questions.length, output])

/** Time goes on until nothing is due any more: without an answer that is when everybody was told. */
const unanswered = ['person-due ben', 'other-device-due ben', 'alarm-unanswered']

test('nobody else is told once somebody has acknowledged', async () => {
  const when = [raised('ann', 'ben'), handedOver('ann'), waiting(50 * second), acknowledged]
  const outcomes = await scenario(app).when(...when)
  expect(told(outcomes)).toEqual([])
  expect(standing(outcomes)).toEqual([['completed', 0, 'acknowledged']])
})

test('after a minute without an answer the next person is told', async () => {
  const when = [raised('ann', 'ben'), handedOver('ann'), waiting(65 * second), acknowledged]
  const outcomes = await scenario(app).when(...when)
  expect(told(outcomes)).toEqual(['person-due ben'])
  expect(standing(outcomes)).toEqual([['completed', 0, 'acknowledged']])
})

test('a person whose device has not taken it is tried on another, and keeps the rest of the minute', async () => {
  const when = [
    raised('ann', 'ben'),
    waiting(20 * second),
    handedOver('ann'),
    waiting(30 * second),
    acknowledged,
  ]
  const outcomes = await scenario(app).when(...when)
  expect(told(outcomes)).toEqual(['other-device-due ann'])
  expect(standing(outcomes)).toEqual([['completed', 0, 'acknowledged']])
})

test('a person out of reach costs no time', async () => {
  const all = ['ann', 'ben', 'lead']
  const outcomes = await scenario(app).when(raised(...all), ...all.map(unreachable))
  expect(told(outcomes)).toEqual(['person-due ben', 'person-due lead', 'alarm-unanswered'])
  expect(outcomes.elapsedMs).toBeLessThan(15 * second)
})

test('when everybody was told it is an open question, which an acknowledgement still ends', async () => {
  const all = [raised('ann', 'ben'), handedOver('ann'), waiting(10 * minute)]
  const open = await scenario(app).when(...all)
  expect(told(open)).toEqual(unanswered)
  expect(standing(open)).toEqual([['running', 1, undefined]])
  expect(standing(await scenario(app).when(...all, acknowledged))).toEqual([['completed', 0, 'acknowledged']])
  const decision = { approved: true, by: 'lead' }
  const taken = await scenario(app).when(...all, approving(calling, alarm.id, 'somebody is there', decision))
  expect(standing(taken)).toEqual([['completed', 0, 'taken over']])
})

test('who says that somebody is there has the alarm in hand; who says no is asked again', async () => {
  const decided = (approved: boolean, by: string, question = 'somebody is there') =>
    approving(calling, alarm.id, question, { approved, by })
  const all = [raised('ann'), handedOver('ann'), waiting(10 * minute)]
  const yes = await scenario(app).when(...all, decided(true, 'development (no key)'))
  expect(yes.published.filter(({ type }) => type === 'ward.acknowledgement-given')).toMatchObject([
    { data: { alarm: alarm.id, person: 'development (no key)' } },
  ])
  const no = await scenario(app).when(...all, decided(false, 'lead'))
  expect(told(no)).toEqual(['alarm-unanswered'])
  expect(standing(no)).toEqual([['running', 1, undefined]])
  const [open] = no.workflows
  expect(JSON.stringify(open?.questions)).toContain('lead has said that nobody was')
  const then = await scenario(app).when(
    ...[...all, decided(false, 'lead'), waiting(minute), decided(true, 'ben', 'somebody is there, 2')],
  )
  expect(told(then)).toEqual(['alarm-unanswered', 'acknowledgement-given ben'])
  expect(standing(then)).toEqual([['completed', 0, 'taken over']])
})

test('an alarm for which nobody is on duty is an open question at once', async () => {
  const outcomes = await scenario(app).when(raised())
  expect(told(outcomes)).toEqual(['alarm-unanswered'])
  expect(standing(outcomes)).toEqual([['running', 1, undefined]])
})

test('after a change of duty it is the turn of who is there, and not of who has left', async () => {
  const when = [raised('ann', 'ben'), handedOver('ann'), waiting(30 * second), onDuty('ann', 'cat', 'dan')]
  const stays = await scenario(app).when(...when, waiting(20 * second))
  expect(told(stays).slice(0, 1)).toEqual(['person-due cat'])
  const outcomes = await scenario(app).when(...when, waiting(20 * second), acknowledged)
  expect(told(outcomes)).toEqual([])
  // Who has the alarm has left: nobody waits for the rest of that minute.
  const left = await scenario(app).when(
    ...[raised('ann', 'ben'), handedOver('ann'), waiting(10 * second), onDuty('cat', 'dan')],
    ...[waiting(10 * second), acknowledged],
  )
  expect(told(left)).toEqual(['person-due cat'])
})

test('who was there before the alarm and is there no more is not told, though the change was kept late', async () => {
  const first = raised('ann', 'ben')
  kept = ['cat']
  const when = [first, handedOver('ann'), waiting(65 * second), acknowledged]
  expect(told(await scenario(app).when(...when))).toEqual(['person-due cat'])
})

test('whose list cannot be read is told as it was', async () => {
  const first = raised('ann', 'ben')
  kept = ['away']
  const when = [first, handedOver('ann'), waiting(65 * second), acknowledged]
  expect(told(await scenario(app).when(...when))).toEqual(['person-due ben'])
})

test('who comes on duty is told of what nobody has acknowledged, and nobody twice', async () => {
  const alone = [raised(), waiting(minute), onDuty('ann'), waiting(second), acknowledged]
  expect(told(await scenario(app).when(...alone))).toEqual(['alarm-unanswered', 'person-due ann'])
  const next = [
    ...[raised('ann'), handedOver('ann'), waiting(10 * minute), onDuty('ann', 'ben')],
    ...[
      waiting(second),
      handedOver('ben'),
      waiting(10 * minute),
      onDuty('ben'),
      waiting(minute),
      acknowledged,
    ],
  ]
  const outcomes = await scenario(app).when(...next)
  expect(told(outcomes)).toEqual(['alarm-unanswered', 'person-due ben', 'alarm-unanswered'])
  expect(standing(outcomes)).toEqual([['completed', 0, 'acknowledged']])
})

test('the same alarm is told once, however often its event is published', async () => {
  const outcomes = await scenario(app).when(raised('ann', 'ben'), raised('ann', 'ben'), handedOver('ann'))
  expect(told(outcomes)).toEqual(unanswered)
})
