// A source that is a broker of its own, for one machine: devices connect to it, and what they publish becomes events. It speaks
// MQTT 3.1.1, and forwards nothing to anybody.
import { type CustomSource, checkOptions, customSource, type Message } from 'eventspine/source'
import { bytesMost, type MqttBrokerOptions } from './broker-options.js'
import { DeviceBroker } from './device-broker.js'
import { common, topicOf } from './message.js'

const optionNames: Readonly<Record<keyof MqttBrokerOptions, true>> = {
  name: true,
  port: true,
  host: true,
  tls: true,
  devices: true,
  topics: true,
  perDevice: true,
  to: true,
  offline: true,
  id: true,
  connectionsMax: true,
  inFlightMax: true,
  description: true,
}

const perDeviceNames: Readonly<Record<keyof NonNullable<MqttBrokerOptions['perDevice']>, true>> = {
  messagesPerSecondMax: true,
  bytesMax: true,
  connectionsMax: true,
}

/**
 * An MQTT broker for devices, in one worker of the cell. List it in `defineApp({ sources: […] })`. Throws a TypeError for limits
 * that cannot be.
 */
export function mqttBroker(options: MqttBrokerOptions): CustomSource {
  checkOptions('mqttBroker', options, optionNames)
  checkOptions('perDevice of mqttBroker', options.perDevice ?? {}, perDeviceNames)
  const { name, to, offline, inFlightMax, description } = options
  check(options)
  return customSource({
    ...{ name, where: 'one-worker' },
    ...(inFlightMax !== undefined && { inFlightMax }),
    ...(description !== undefined && { description }),
    to: (message: Message) => {
      const device = message.headers['mqtt-device'] ?? ''
      if (message.headers['mqtt-offline'] === 'true')
        return offline?.({ device, headers: message.headers, at: message.at }) ?? null
      const isWill = message.headers['mqtt-will'] === 'true'
      return to({ ...common(message, topicOf(message)), device, isWill })
    },
    run: (run) => new DeviceBroker(options, run).run(),
  })
}

function check({ name, port, perDevice = {}, connectionsMax = 1 }: MqttBrokerOptions): void {
  const whole = (option: string, value: number | undefined, least: number, most: number) => {
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
      throw new TypeError(
        `Source "${name}": ${option} is ${value}; write a whole number from ${least} to ${most}.`,
      )
  }
  whole('port', port, 0, 65_535)
  whole('perDevice.messagesPerSecondMax', perDevice.messagesPerSecondMax, 1, 100_000)
  whole('perDevice.bytesMax', perDevice.bytesMax, 1, bytesMost)
  whole('perDevice.connectionsMax', perDevice.connectionsMax, 1, 1_000_000)
  whole('connectionsMax', connectionsMax, 1, 1_000_000)
}
