// The facts of a ward, in the order in which they happen to a reading. What is about a bed has the bed as its key, what is about an
// alarm the alarm: so a bed is qualified in order, and nobody waits for another bed.
import { defineEvent } from 'eventspine'
import { z } from 'zod'
import { limitNames } from './rules/limits.js'
import { news2Parts } from './rules/news2.js'
import { parameterNames } from './rules/parameters.js'

export const readingsMax = 500
export const peopleMax = 10
/** Of the name of a key. */
export const actorCharactersMax = 200

/** Of a ward, a bed, a person: it stands in topics, paths and ids. */
export const name = z.string().regex(/^[A-Za-z0-9-]{1,40}$/, 'is letters, digits and dashes, at most 40')
const instant = z.iso.datetime()
const alarm = z.string().min(1).max(200)
const place = { ward: name, bed: name }

export const readingsTaken = defineEvent({
  type: 'ward.readings-taken',
  description:
    'Devices of one bed measured something. Artefacts are marked: they are kept, and no alarm is made of them.',
  schema: z.object({
    ...place,
    readings: z
      .array(
        z.object({
          parameter: z.enum(parameterNames),
          value: z.number(),
          takenAt: instant,
          artefact: z.boolean(),
        }),
      )
      .min(1)
      .max(readingsMax),
  }),
  key: ({ bed }) => bed,
})

export const deviceSilent = defineEvent({
  type: 'ward.device-silent',
  description:
    'Nothing comes from a bed any more: its device has lost its connection, or has said nothing for too long.',
  schema: z.object({
    ...place,
    noticedBy: z.enum(['connection', 'watch']),
    /** When something was heard last, as far as whoever noticed knows; null where it does not. */
    heardAt: instant.nullable(),
  }),
  key: ({ bed }) => bed,
})

export const patientLimitsSet = defineEvent({
  type: 'ward.patient-limits-set',
  description:
    'A clinician has decided on other limits for one patient, or on the second scale of saturation.',
  schema: z.object({
    ...place,
    /** Null: the usual one again. What is not named stays as it was. */
    limits: z.partialRecord(z.enum(limitNames as [string, ...string[]]), z.number().nullable()),
    saturationScale: z.union([z.literal(1), z.literal(2)]).optional(),
    by: name,
  }),
  key: ({ bed }) => bed,
})

export const bedMoved = defineEvent({
  type: 'ward.bed-moved',
  description: 'A bed belongs to this ward from now on, with its patient and what stands there.',
  schema: z.object({ ...place, by: z.string().max(actorCharactersMax) }),
  key: ({ bed }) => bed,
})

const act = { ...place, by: z.string().max(actorCharactersMax) }

export const patientChanged = defineEvent({
  type: 'ward.patient-changed',
  description: 'Another patient lies in this bed: limits, score and alarms of the one before are not theirs.',
  schema: z.object(act),
  key: ({ bed }) => bed,
})

export const bedClosed = defineEvent({
  type: 'ward.bed-closed',
  description: 'The bed is out of service, or was a mistake: nobody waits for readings of it.',
  schema: z.object(act),
  key: ({ bed }) => bed,
})

export const bedCleared = defineEvent({
  type: 'ward.bed-cleared',
  description:
    'Nothing is known of the patient of this bed any more; where it is closed, nothing of the bed.',
  schema: z.object({ ...place, isClosed: z.boolean() }),
  key: ({ bed }) => bed,
})

export const priority = z.enum(['high', 'medium', 'low'])

/** What a person is told of an alarm. */
const brief = z.object({
  id: alarm,
  ...place,
  rule: z.string(),
  priority,
  text: z.string(),
  value: z.number().nullable(),
  raisedAt: instant,
})

export type AlarmBrief = z.infer<typeof brief>

export const alarmRaised = defineEvent({
  type: 'ward.alarm-raised',
  description: 'The one event of an alarm: everything that follows, each on its own, follows from it.',
  schema: brief.extend({
    /** When the reading was taken with which it began. */
    beganAt: instant,
    /** Who was on duty when it was raised. The first is told by it; who comes next is who is on duty by then. */
    people: z.array(name).max(peopleMax),
  }),
  key: ({ bed }) => bed,
  subject: ({ id }) => id,
})

export const alarmEnded = defineEvent({
  type: 'ward.alarm-ended',
  description: 'What the alarm was about is over. Somebody must have seen it all the same.',
  schema: z.object({ id: alarm, ...place, rule: z.string(), endedAt: instant }),
  key: ({ bed }) => bed,
  subject: ({ id }) => id,
})

export const scoreChanged = defineEvent({
  type: 'ward.score-changed',
  description: 'NEWS2 of a patient is another one, or is known better.',
  schema: z.object({
    ...place,
    total: z.int().min(0).max(20),
    response: z.enum(['low', 'low-medium', 'medium', 'high']),
    missing: z.array(z.enum(news2Parts)),
    at: instant,
  }),
  key: ({ bed }) => bed,
})

const toPerson = { alarm: brief, person: name }
const ofAlarm = { key: ({ alarm }: { alarm: { id: string } }) => alarm.id }

export const personDue = defineEvent({
  type: 'ward.person-due',
  description: 'Nobody has answered so far: this person is next.',
  schema: z.object(toPerson),
  ...ofAlarm,
})

export const otherDeviceDue = defineEvent({
  type: 'ward.other-device-due',
  description:
    'The device that was tried has not taken the alarm so far: another one of the person, if there is one.',
  schema: z.object(toPerson),
  ...ofAlarm,
})

export const device = z.object({
  id: z.string(),
  endpoint: z.url().max(1_000),
  p256dh: z.string().max(200),
  auth: z.string().max(100),
})

export const pushAsked = defineEvent({
  type: 'ward.push-asked',
  description:
    'An alarm is to go to one device. Its key is the device: one that does not answer is in the way of no other.',
  schema: z.object({ ...toPerson, device }),
  key: ({ device }) => device.id,
})

export const pushHandedOver = defineEvent({
  type: 'ward.push-handed-over',
  description: 'The push service has taken the alarm for a device.',
  schema: z.object({ ...toPerson, device: z.string(), at: instant }),
  ...ofAlarm,
})

export const pushFailed = defineEvent({
  type: 'ward.push-failed',
  description: 'The push service will not take the alarm for this device. `gone`: never any more.',
  schema: z.object({
    ...toPerson,
    device: z.string(),
    reason: z.enum(['gone', 'refused']),
    detail: z.string().max(300),
  }),
  ...ofAlarm,
})

export const personUnreachable = defineEvent({
  type: 'ward.person-unreachable',
  description: 'The person has no device that could be tried.',
  schema: z.object(toPerson),
  ...ofAlarm,
})

/** A person, or who has answered the open question of an alarm: the name of their key. */
const given = { alarm, person: z.string().min(1).max(actorCharactersMax) }

export const acknowledgementGiven = defineEvent({
  type: 'ward.acknowledgement-given',
  description: 'A person says that they have seen an alarm.',
  schema: z.object(given),
  key: ({ alarm }) => alarm,
})

export const alarmAcknowledged = defineEvent({
  type: 'ward.alarm-acknowledged',
  description: 'Somebody has seen the alarm, as the first: nobody else is told.',
  schema: z.object({ ...given, at: instant }),
  key: ({ alarm }) => alarm,
})

export const acknowledgementRepeated = defineEvent({
  type: 'ward.acknowledgement-repeated',
  description: 'Somebody has seen an alarm that was acknowledged before, at `at`, by `by`.',
  schema: z.object({ ...given, by: z.string().min(1).max(actorCharactersMax), at: instant }),
  key: ({ alarm }) => alarm,
})

export const alarmUnanswered = defineEvent({
  type: 'ward.alarm-unanswered',
  description: 'Everybody on duty was told, and nobody has acknowledged the alarm.',
  schema: z.object({ alarm: brief }),
  ...ofAlarm,
})

export const deviceRegistered = defineEvent({
  type: 'ward.device-registered',
  description: 'A person wants alarms on this device.',
  schema: z.object({ person: name, device }),
  key: ({ person }) => person,
})

export const deviceRemoved = defineEvent({
  type: 'ward.device-removed',
  description:
    'A person gets no alarms on this device any more: they have signed out there, or somebody has taken it away.',
  schema: z.object({
    person: name,
    /** Null: whatever the person has, and where they have signed in. */
    device: z.string().max(100).nullable(),
    by: z.string().max(200),
  }),
  key: ({ person }) => person,
})

export const dutySet = defineEvent({
  type: 'ward.duty-set',
  description: 'Who is told of the alarms of a ward, one after another; the last is its lead.',
  schema: z.object({ ward: name, people: z.array(name).max(peopleMax) }),
  key: ({ ward }) => ward,
})

const guest = { person: name, ward: name, kind: z.enum(['carer', 'display']) }

export const personInvited = defineEvent({
  type: 'ward.person-invited',
  description: 'A person, or a display on the wall, may sign in to the pages of a ward once.',
  schema: z.object({ ...guest, by: z.string().max(200) }),
  key: ({ person }) => person,
})

export const invitationOpened = defineEvent({
  type: 'ward.invitation-opened',
  description:
    'The code of an invitation is good from now on. It stands in no event: only whoever asked for it is told.',
  schema: z.object({ ...guest, invitation: z.string().max(200), expiresAt: instant }),
  key: ({ person }) => person,
})

export const silenceWatchDue = defineEvent({
  type: 'ward.silence-watch-due',
  description: 'It is time to look for beds from which nothing comes.',
  schema: z.object({}),
})

export const shiftEnded = defineEvent({
  type: 'ward.shift-ended',
  description: 'A shift is over: its report is due.',
  schema: z.object({ from: instant, to: instant }),
})

export const events = [
  ...[readingsTaken, deviceSilent, patientLimitsSet, bedMoved, patientChanged, bedClosed, bedCleared],
  ...[alarmRaised, alarmEnded, scoreChanged],
  ...[personDue, otherDeviceDue, pushAsked, pushHandedOver, pushFailed, personUnreachable],
  ...[acknowledgementGiven, alarmAcknowledged, acknowledgementRepeated, alarmUnanswered],
  ...[deviceRegistered, deviceRemoved, dutySet, personInvited, invitationOpened, silenceWatchDue, shiftEnded],
]
