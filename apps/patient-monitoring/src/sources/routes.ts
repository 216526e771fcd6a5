// The ways in by HTTP: readings of gateways in batches, who is on duty, devices of people, limits of a patient, acknowledgements. What is
// wrong is answered 400 with its field, what is not the caller's 403; nothing is stored then.
import { createHash, ECDH } from 'node:crypto'
import { EventspineError } from 'eventspine'
import { httpRoute, type RouteCaller, type Source } from 'eventspine/source'
import { z } from 'zod'
import {
  acknowledgementGiven,
  acknowledgementRepeated,
  alarmAcknowledged,
  deviceRegistered,
  dutySet,
  name,
  patientLimitsSet,
  peopleMax,
  readingsMax,
} from '../events.js'
import type { KeyChain } from '../keys.js'
import { ruleNames } from '../rules/limits.js'
import { faultOfName, faultOfTime, given, taken } from './reading.js'

export interface RouteSettings {
  readonly keys: KeyChain
  readonly now: () => number
  /** Where phones may be told to send to. `*.` in front of a host stands for one name or more. */
  readonly pushOrigins: readonly string[]
}

export const routesOf = (settings: RouteSettings): readonly Source[] => [
  readings(settings),
  setDuty,
  setLimits,
  registerDevice(settings),
  acknowledge(settings),
]

/** Who needs no key on the machine where the app is developed (`eventspine dev`). */
const developer = 'development (no key)'

function mayOnly(principal: RouteCaller, allowed: readonly string[], what: string): void {
  if (principal.actor === developer || allowed.includes(principal.actor)) return
  throw new EventspineError(
    'FORBIDDEN',
    `The key "${principal.actor}" may not speak for ${what}. Keys are known by their names: ${allowed.join(' or ')}.`,
  )
}

function named(params: Readonly<Record<string, string>>): void {
  for (const [part, text] of Object.entries(params)) {
    const fault = faultOfName(text)
    if (fault !== undefined)
      throw new EventspineError('REQUEST_INVALID', `/path/${part} ${fault}.`, { field: `/path/${part}` })
  }
}

const readings = ({ now }: RouteSettings) =>
  httpRoute({
    name: 'readings',
    description: 'Readings of one bed, in a batch',
    path: '/wards/:ward/beds/:bed/readings',
    body: z.strictObject({ readings: z.array(given).min(1).max(readingsMax) }),
    to({ params, body, principal }) {
      named(params)
      const { ward, bed } = params
      mayOnly(principal, [`bed-${bed}`, `ward-${ward}`], `bed ${bed} of ward ${ward}`)
      for (const [index, { takenAt }] of body.readings.entries()) {
        const fault = faultOfTime(takenAt, now())
        const field = `/readings/${index}/takenAt`
        if (fault !== undefined) throw new EventspineError('REQUEST_INVALID', `${field} ${fault}.`, { field })
      }
      return taken(ward, bed, body.readings)
    },
  })

const setDuty = httpRoute({
  name: 'set-duty',
  description: 'Who is told of the alarms of a ward, one after another',
  method: 'PUT',
  path: '/wards/:ward/duty',
  access: 'operate',
  body: z.strictObject({ people: z.array(name).min(1).max(peopleMax) }),
  to({ params, body }) {
    named(params)
    return { event: dutySet, data: { ward: params.ward, people: body.people } }
  },
})

const setLimits = httpRoute({
  name: 'set-limits',
  description: 'Limits of one patient, and the scale of saturation',
  method: 'PUT',
  path: '/wards/:ward/beds/:bed/limits',
  access: 'operate',
  body: z.strictObject({
    limits: z.partialRecord(z.enum(ruleNames as [string, ...string[]]), z.number()).default({}),
    saturationScale: z.union([z.literal(1), z.literal(2)]).default(1),
    by: name,
  }),
  to({ params, body }) {
    named(params)
    return { event: patientLimitsSet, data: { ...params, ...body } }
  },
})

const registerDevice = ({ pushOrigins }: RouteSettings) =>
  httpRoute({
    name: 'register-device',
    description: 'A push subscription, as browsers write it',
    method: 'PUT',
    path: '/people/:person/devices',
    body: z.object({
      endpoint: z.url().max(1_000),
      keys: z.object({
        p256dh: z.string().refine(isPoint, 'is no public key of P-256'),
        auth: z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'is no 16 bytes in base64url'),
      }),
    }),
    to({ params, body: { endpoint, keys }, principal }) {
      named(params)
      mayOnly(principal, [`person-${params.person}`], `the devices of ${params.person}`)
      if (!pushOrigins.some((allowed) => isWithin(new URL(endpoint), allowed)))
        throw new EventspineError('REQUEST_INVALID', `/endpoint is of no push service that is known here.`, {
          field: '/endpoint',
        })
      const id = createHash('sha256').update(endpoint).digest('base64url').slice(0, deviceIdCharacters)
      return { event: deviceRegistered, data: { person: params.person, device: { id, endpoint, ...keys } } }
    },
  })

const deviceIdCharacters = 22

function isPoint(text: string): boolean {
  try {
    return /^[A-Za-z0-9_-]{87}$/.test(text) && ECDH.convertKey(text, 'prime256v1', 'base64url').length > 0
  } catch {
    return false
  }
}

function isWithin({ origin, protocol, host }: URL, allowed: string): boolean {
  const [scheme, suffix] = allowed.split('//*')
  if (suffix === undefined) return origin === allowed
  return protocol === scheme && host.endsWith(suffix)
}

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
