// The ways in by HTTP: readings of gateways in batches, who is on duty, devices of people, limits of a patient, acknowledgements. What is
// wrong is answered 400 with its field, what is not the caller's 403; nothing is stored then.
import { EventspineError } from 'eventspine'
import { httpRoute, type Source } from 'eventspine/source'
import { z } from 'zod'
import type { Beds } from '../beds.js'
import {
  acknowledgementGiven,
  acknowledgementRepeated,
  alarmAcknowledged,
  bedClosed,
  bedMoved,
  dutySet,
  name,
  patientChanged,
  patientLimitsSet,
  peopleMax,
  readingsMax,
} from '../events.js'
import type { KeyChain } from '../keys.js'
import { faultOfLimits, limitNames, type PatientLimits } from '../rules/limits.js'
import { mayOnly, named } from './callers.js'
import { deviceRoutes } from './device-routes.js'
import { invitePerson } from './invitation-route.js'
import { batchIdOf, faultOfTime, given, taken } from './reading.js'

export interface RouteSettings {
  readonly keys: KeyChain
  readonly beds: Beds
  readonly now: () => number
  /** Where phones may be told to send to. `*.` in front of a host stands for one name or more. */
  readonly pushOrigins: readonly string[]
}

export const routesOf = (settings: RouteSettings): readonly Source[] => [
  readings(settings),
  setDuty,
  setLimits(settings),
  changePatient(settings),
  moveBed,
  closeBed(settings),
  ...deviceRoutes(settings.pushOrigins),
  invitePerson(settings),
  acknowledge(settings),
]

async function refuseOtherWard(beds: Beds, ward: string, bed: string): Promise<void> {
  const fault = await beds.faultOf(ward, bed)
  if (fault !== undefined) throw new EventspineError('FORBIDDEN', fault)
}

/** Throws FORBIDDEN for a bed of another ward, NOT_FOUND for one of which nothing was heard: it may be mistyped. */
async function patientIn(beds: Beds, ward: string, bed: string): Promise<PatientLimits> {
  await refuseOtherWard(beds, ward, bed)
  const patient = await beds.patientOf(bed)
  if (patient !== undefined) return patient
  throw new EventspineError(
    'NOT_FOUND',
    `Nothing was heard of bed ${bed}. Is it written so? PUT /wards/${ward}/beds/${bed}/place sets up a new one.`,
    { field: '/path/bed' },
  )
}

const readings = ({ beds, now }: RouteSettings) =>
  httpRoute({
    name: 'readings',
    description: 'Readings of one bed, in a batch',
    path: '/wards/:ward/beds/:bed/readings',
    body: z.strictObject({ readings: z.array(given).min(1).max(readingsMax) }),
    async to({ params, body, principal }) {
      named(params)
      const { ward, bed } = params
      mayOnly(principal, [`bed-${bed}`, `ward-${ward}`], `bed ${bed} of ward ${ward}`)
      for (const [index, { takenAt }] of body.readings.entries()) {
        const fault = faultOfTime(takenAt, now())
        const field = `/readings/${index}/takenAt`
        if (fault !== undefined) throw new EventspineError('REQUEST_INVALID', `${field} ${fault}.`, { field })
      }
      await refuseOtherWard(beds, ward, bed)
      return { ...taken(ward, bed, body.readings), id: batchIdOf(ward, bed, body.readings) }
    },
  })

const setDuty = httpRoute({
  name: 'set-duty',
  description: 'Who is told of the alarms of a ward, one after another',
  method: 'PUT',
  path: '/wards/:ward/duty',
  access: 'operate',
  body: z.strictObject({
    people: z
      .array(name)
      .min(1)
      .max(peopleMax)
      .refine((people) => new Set(people).size === people.length, 'names somebody twice: each is told once'),
  }),
  to({ params, body }) {
    named(params)
    return { event: dutySet, data: { ward: params.ward, people: body.people } }
  },
})

const setLimits = ({ beds }: RouteSettings) =>
  httpRoute({
    name: 'set-limits',
    description: 'Limits of one patient, and the scale of saturation',
    method: 'PUT',
    path: '/wards/:ward/beds/:bed/limits',
    access: 'operate',
    body: z.strictObject({
      limits: z
        .record(z.string(), z.number().nullable())
        .refine((limits) => Object.keys(limits).every((rule) => limitNames.includes(rule)), {
          error: `has a name that is no limit. Limits are ${limitNames.join(', ')}`,
        })
        .default({}),
      saturationScale: z.union([z.literal(1), z.literal(2)]).optional(),
      by: name,
    }),
    async to({ params, body }) {
      named(params)
      const before = await patientIn(beds, params.ward, params.bed)
      const fault = faultOfLimits(before, body.limits)
      if (fault !== undefined) {
        const field = `/limits/${fault.rule}`
        throw new EventspineError('REQUEST_INVALID', `${field} ${fault.message}.`, { field })
      }
      return { event: patientLimitsSet, data: { ...params, ...body } }
    },
  })

const changePatient = ({ beds }: RouteSettings) =>
  httpRoute({
    name: 'change-patient',
    description: 'Another patient lies in this bed: limits, score and alarms begin anew',
    path: '/wards/:ward/beds/:bed/patients',
    access: 'operate',
    async to({ params, principal: { actor: by } }) {
      named(params)
      await patientIn(beds, params.ward, params.bed)
      return { event: patientChanged, data: { ...params, by } }
    },
  })

const closeBed = ({ beds }: RouteSettings) =>
  httpRoute({
    name: 'close-bed',
    description: 'A bed is out of service: its alarms end, and nobody misses its readings',
    method: 'DELETE',
    path: '/wards/:ward/beds/:bed',
    access: 'operate',
    async to({ params, principal: { actor: by } }) {
      named(params)
      await patientIn(beds, params.ward, params.bed)
      return { event: bedClosed, data: { ...params, by } }
    },
  })

const moveBed = httpRoute({
  name: 'move-bed',
  description: 'A bed belongs to this ward from now on; one that nobody has heard of is set up in it',
  method: 'PUT',
  path: '/wards/:ward/beds/:bed/place',
  access: 'operate',
  to({ params, principal: { actor: by } }) {
    named(params)
    return { event: bedMoved, data: { ...params, by } }
  },
})

const seen = z.object({ by: z.string(), at: z.string() })

const acknowledge = ({ keys }: RouteSettings) =>
  httpRoute({
    name: 'acknowledge',
    description: 'A person has seen an alarm: with the token that came with it',
    path: '/alarms/:alarm/acknowledgements',
    access: 'open',
    body: z.strictObject({ person: name, token: z.string().max(100) }),
    async to({ params: { alarm }, body: { person, token } }) {
      if (!(await keys.isAcknowledgementToken(token, alarm, person)))
        throw new EventspineError(
          'FORBIDDEN',
          'This token is not of this alarm and person. Use the one that came with the push.',
        )
      return { event: acknowledgementGiven, data: { alarm, person }, id: `${alarm}/${person}` }
    },
    reply: {
      event: [alarmAcknowledged, acknowledgementRepeated],
      to: ({ type, data }) => ({
        body: { by: type === acknowledgementRepeated.type ? data.by : data.person, at: data.at },
      }),
      answers: { 200: seen },
    },
  })
