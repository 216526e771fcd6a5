// What an app says of its broker.
import type { TlsOptions } from 'node:tls'
import type { Message, Translation } from 'eventspine/source'
import type { Credentials, Device } from './device.js'
import type { MqttMessage } from './message.js'

export interface DeviceMessage extends Omit<MqttMessage<never>, 'parts'> {
  /** Id of the device; what else is known of it stands in `headers`. */
  readonly device: string
  /** It is the last will of the device, whose connection ended without a goodbye. */
  readonly isWill: boolean
}

/** A device whose connection ended without a goodbye. */
export interface DeviceLost {
  readonly device: string
  readonly headers: Message['headers']
  /** When that was noticed: half as late again as its keep-alive, where its network is gone. */
  readonly at: Date
}

export interface PublishedByDevice {
  readonly device: string
  readonly topic: string
  readonly payload: Uint8Array
}

export interface MqttBrokerOptions {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** 1883 for plain connections and 8883 for TLS, by custom. 0 for any that is free: the log says which. */
  readonly port: number
  /** Address to listen at. Default `127.0.0.1`; `0.0.0.0` for devices of the network, and then with `tls`. */
  readonly host?: string
  readonly tls?: Pick<TlsOptions, 'key' | 'cert' | 'ca' | 'requestCert' | 'rejectUnauthorized'>
  /** Who connects; null for nobody, which refuses the connection. Within 10 s. See `devicesBySecret`. What it throws is logged, and
   *  the device told to come again. */
  readonly devices: (credentials: Credentials) => Promise<Device | null>
  /** Filters of the topics that a device publishes under; whoever publishes elsewhere is disconnected. Default
   *  `devices/ID/#`. */
  readonly topics?: (device: Device) => readonly string[]
  readonly perDevice?: {
    /** More wait: the device is read more slowly, and nothing is lost. Default 100. */
    readonly messagesPerSecondMax?: number
    /** Bytes of one message; whoever sends more is disconnected. Default and most: 256 KiB. */
    readonly bytesMax?: number
    /** One more ends the oldest of them, as a client id that comes again does. Default 10. */
    readonly connectionsMax?: number
  }
  /** What a message becomes; see `customSource`. A last will comes the same way. */
  readonly to: (message: DeviceMessage) => Translation | Promise<Translation>
  /** What it becomes that the connection of a device has ended without a goodbye, whether it has a last will or not. Not where
   *  it has connected anew, and not where the broker itself stops. */
  readonly offline?: (lost: DeviceLost) => Translation | Promise<Translation>
  /** Under which a message that is sent twice is one event: unique among all that come by this source. Default none: MQTT 3.1.1 knows none,
   *  and what is sent again, because its acknowledgement was lost, is a second event. */
  readonly id?: (message: PublishedByDevice) => string | undefined
  /** Default 10,000. */
  readonly connectionsMax?: number
  /** Messages that are translated and stored at once. Default 1,000. */
  readonly inFlightMax?: number
  readonly description?: string
}

export const bytesMost = 256 * 1024
