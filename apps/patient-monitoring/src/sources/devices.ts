// Bedside devices, by MQTT: `ward/{ward}/bed/{bed}/{parameter}` with `{"value": 73, "takenAt": "…"}`, and `…/status` with `offline` as
// last will. By any broker, whose access list says who publishes where; or by one of our own, where devices of a bed have a
// password and can publish for that bed alone.
import { mqttBroker, mqttSource, topicPattern } from '@eventspine/mqtt'
import { ValidationError } from 'eventspine'
import type { Source, Translation } from 'eventspine/source'
import { z } from 'zod'
import type { Beds } from '../beds.js'
import { deviceSilent } from '../events.js'
import type { KeyChain } from '../keys.js'
import { isParameter, parameterNames } from '../rules/parameters.js'
import { faultOfName, faultOfTime, taken } from './reading.js'

export type DeviceSettings =
  /** A broker of others. */
  | {
      readonly url: string
      readonly username?: string
      readonly password?: string
      readonly clientId?: string
    }
  /** Our own, on this machine unless `host` says otherwise. */
  | { readonly port: number; readonly host?: string }

const topic = topicPattern('ward/{ward}/bed/{bed}/{parameter}')
const status = 'status'

const payloadForm = z.object({
  value: z.number(),
  takenAt: z.iso.datetime(),
  /** What its sender counts by. With time and value it is the identity of the reading. */
  id: z.string().max(100).optional(),
})

interface Arrived {
  readonly topic: string
  readonly json: () => unknown
  readonly body: Uint8Array
  /** It lay in the broker: an old word of a status. */
  readonly retained: boolean
}

export interface DeviceServices {
  readonly keys: KeyChain
  readonly beds: Beds
  readonly now: () => number
}

export const devicesBy = (settings: DeviceSettings, { keys, beds, now }: DeviceServices): Source =>
  'url' in settings
    ? mqttSource({
        ...{ name: 'devices', description: 'Bedside devices, by a broker', topics: [topic.pattern] },
        ...settings,
        id: idOf,
        // A score is made of all parameters of a bed, so each must find those before it.
        orderKey: ({ topic: of }) => of.slice(0, of.lastIndexOf('/')),
        to: (message) => translated(message, beds, now()),
      })
    : mqttBroker({
        ...{ name: 'devices', description: 'Bedside devices, by a broker of our own' },
        ...settings,
        devices: (credentials) => deviceOf(credentials, keys),
        // What `deviceOf` said of it; whoever publishes elsewhere is disconnected.
        topics: ({ id, headers }) => [`ward/${headers?.['ward']}/bed/${id}/#`],
        id: idOf,
        to: (message) => translated(message, beds, now()),
        offline: ({ device, headers }) => silent(headers['ward'] ?? '', device),
      })

/** Devices of a bed say `ward/{ward}/bed/{bed}` as user name, and its password. */
async function deviceOf(
  {
    username = '',
    password = '',
  }: { readonly username: string | undefined; readonly password: string | undefined },
  keys: KeyChain,
) {
  const [, ward = '', bed = ''] = /^ward\/([^/]+)\/bed\/([^/]+)$/.exec(username) ?? []
  return (await keys.isDevicePassword(password, ward, bed)) ? { id: bed, headers: { ward } } : null
}

// A parameter is measured once at a time: what says the same is the same. A number of its sender does not do alone, since a device that is
// started anew counts from the beginning.
function idOf({
  topic: of,
  payload,
}: {
  readonly topic: string
  readonly payload: Uint8Array
}): string | undefined {
  const form = payloadForm.safeParse(parsed(payload))
  if (!form.success) return undefined
  const { id, takenAt, value } = form.data
  return `${of}#${id === undefined ? '' : `${id}@`}${takenAt}=${value}`
}

function parsed(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString())
  } catch {
    return undefined
  }
}

async function translated(message: Arrived, beds: Beds, nowMs: number): Promise<Translation> {
  const { ward = '', bed = '', parameter = '' } = topic.match(message.topic) ?? {}
  const fault = faultOfName(ward) ?? faultOfName(bed)
  if (fault !== undefined)
    throw new ValidationError(`The topic ${message.topic} names no ward and bed: each ${fault}`)
  const strange = await beds.faultOf(ward, bed)
  if (strange !== undefined) throw new ValidationError(strange)
  if (parameter === status) {
    const isLost = Buffer.from(message.body).toString() === 'offline' && !message.retained
    return isLost ? silent(ward, bed) : null
  }
  if (!isParameter(parameter))
    throw new ValidationError(`"${parameter}" is no parameter; known are ${parameterNames.join(', ')}`)
  const form = payloadForm.safeParse(message.json())
  if (!form.success)
    throw new ValidationError(
      form.error.issues.map(({ path, message: why }) => `${path.join('.')}: ${why}`).join('; '),
    )
  const { value, takenAt } = form.data
  const late = faultOfTime(takenAt, nowMs)
  if (late !== undefined) throw new ValidationError(`takenAt ${late}`)
  return taken(ward, bed, [{ parameter, value, takenAt }])
}

const silent = (ward: string, bed: string) => ({
  event: deviceSilent,
  data: { ward, bed, noticedBy: 'connection' as const, heardAt: null },
})
