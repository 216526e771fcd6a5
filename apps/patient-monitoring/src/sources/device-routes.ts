// The phones of people, by HTTP: each registers their own; whoever operates the ward takes one away that is lost, or all that a person has.
import { createHash, ECDH } from 'node:crypto'
import { EventspineError } from 'eventspine'
import { httpRoute, type Source } from 'eventspine/source'
import { z } from 'zod'
import { deviceRegistered, deviceRemoved } from '../events.js'
import { isOfPushService } from '../push-message.js'
import { mayOnly, named } from './callers.js'

/** `pushOrigins`: where phones may be told to send to. `*.` in front of a host stands for one name or more. */
export const deviceRoutes = (pushOrigins: readonly string[]): readonly Source[] => [
  registerDevice(pushOrigins),
  removeDevice,
  removeDevices,
]

const registerDevice = (pushOrigins: readonly string[]) =>
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
      if (!isOfPushService(endpoint, pushOrigins))
        throw new EventspineError('REQUEST_INVALID', `/endpoint is of no push service that is known here.`, {
          field: '/endpoint',
        })
      const id = deviceIdOf(endpoint)
      return { event: deviceRegistered, data: { person: params.person, device: { id, endpoint, ...keys } } }
    },
  })

const removeDevice = httpRoute({
  name: 'remove-device',
  description: 'One phone of a person gets no alarms any more',
  method: 'DELETE',
  path: '/people/:person/devices/:device',
  access: 'operate',
  to({ params: { person, device }, principal: { actor: by } }) {
    named({ person })
    if (!/^[A-Za-z0-9_-]{22}$/.test(device))
      throw new EventspineError(
        'REQUEST_INVALID',
        '/path/device is no id of a device. Events ward.device-registered have them, and so has each step of an alarm.',
        { field: '/path/device' },
      )
    return { event: deviceRemoved, data: { person, device, by } }
  },
})

const removeDevices = httpRoute({
  name: 'remove-devices',
  description: 'All phones of a person get no alarms any more, and whoever has signed in by them is out',
  method: 'DELETE',
  path: '/people/:person/devices',
  access: 'operate',
  to({ params, principal: { actor: by } }) {
    named(params)
    return { event: deviceRemoved, data: { person: params.person, device: null, by } }
  },
})

const deviceIdCharacters = 22

/** The same browser has the same id, whoever has signed in by it. */
export const deviceIdOf = (endpoint: string): string =>
  createHash('sha256').update(endpoint).digest('base64url').slice(0, deviceIdCharacters)

function isPoint(text: string): boolean {
  try {
    return /^[A-Za-z0-9_-]{87}$/.test(text) && ECDH.convertKey(text, 'prime256v1', 'base64url').length > 0
  } catch {
    return false
  }
}
