// Sources of companion packages refuse an option that nobody knows, as the library's own do: a limit that is misspelt would be none.
import { bullmqSource } from '@eventspine/bullmq'
import { mqttBroker, mqttSource } from '@eventspine/mqtt'
import { bucketSource } from '@eventspine/s3'
import { sqsSource } from '@eventspine/sqs'
import { expect, it } from 'vitest'

const to = () => null
const broker = { name: 'devices', port: 0, devices: async () => null, to }
const client = { name: 'readings', url: 'mqtt://127.0.0.1', topics: ['a/{key}'], to }

it.each<[string, () => unknown, string]>([
  ['mqttSource', () => mqttSource({ ...client, inflightMax: 5 } as never), 'did you mean "inFlightMax"?'],
  ['mqttBroker', () => mqttBroker({ ...broker, rate: 5 } as never), '"rate" is no option; there are'],
  [
    'a limit of each device',
    () => mqttBroker({ ...broker, perDevice: { messagesPerSecond: 5 } } as never),
    'did you mean "messagesPerSecondMax"?',
  ],
  [
    'bucketSource',
    () => bucketSource({ name: 'files', bucket: 'files', prefx: 'a/', to } as never),
    'did you mean "prefix"?',
  ],
  [
    'sqsSource',
    () => sqsSource({ name: 'jobs', queueUrl: 'https://sqs.test/1/jobs', visibilitySecond: 5, to } as never),
    'did you mean "visibilitySeconds"?',
  ],
  [
    'bullmqSource',
    () => bullmqSource({ name: 'jobs', queue: 'jobs', conection: {}, connection: {}, to } as never),
    'did you mean "connection"?',
  ],
])('%s', (_, make, said) => {
  expect(make).toThrow(said)
})

it('certificates on a connection that enciphers nothing are refused', () => {
  expect(() => mqttSource({ ...client, tls: { rejectUnauthorized: false } } as never)).toThrow(
    'tls is for mqtts: and wss:',
  )
})
