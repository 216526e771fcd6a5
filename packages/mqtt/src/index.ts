// `@eventspine/mqtt`: messages of any MQTT 5 broker, or of devices that speak to a broker of its own, as events.
export { mqttBroker } from './broker.js'
export type { DeviceLost, DeviceMessage, MqttBrokerOptions, PublishedByDevice } from './broker-options.js'
export type { Credentials, Device } from './device.js'
export type { MqttMessage } from './message.js'
export { devicesBySecret } from './secrets.js'
export { type MqttSourceOptions, mqttSource, type PublishedMessage } from './source.js'
export { type NamesOf, type PartsOf, type TopicPattern, topicPattern } from './topic-pattern.js'
