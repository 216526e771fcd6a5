// A source that speaks TLS to its broker: who has signed that, who we are, and what is said where one of these is wrong.
import mqtt from 'mqtt'
import { describe, expect, test, vi } from 'vitest'
import { authority, stranger, ward } from '../../../test/certificates.js'
import { Mosquitto, missing } from '../../../test/mosquitto.js'
import { afterTest, eventsOf, freshSchema, logged, running, until } from '../../../test/spine.js'
import type { MqttSourceOptions } from '../src/index.js'
import { wardApp } from './ward-app.js'

vi.setConfig({ testTimeout: 60_000 })

type Tls = NonNullable<MqttSourceOptions<string>['tls']>

async function started(url: string, tls: Tls) {
  logged.length = 0
  return await running(wardApp(url, { tls }), freshSchema())
}

/** What the log says, and the doctor, once the source has ended by itself. */
async function refusal(url: string, tls: Tls): Promise<string> {
  const spine = await started(url, tls)
  const said = await until(async () => {
    const { findings } = await spine.operator().doctor()
    return findings.find(({ subject, message }) => subject === 'source vitals' && message.startsWith('Ended'))
  })
  expect(logged.some((line) => line.includes('connected to the MQTT broker'))).toBe(false)
  const line = logged.find((each) => each.includes('a source ended by itself')) ?? ''
  const [, why = ''] = /the last time with: (.+)/.exec(said.message) ?? []
  expect(JSON.parse(line)).toMatchObject({ error: { message: why } })
  return why
}

describe.skipIf(missing)('mqtts', () => {
  test('takes messages of a broker whose authority it is given', async () => {
    const broker = await Mosquitto.start({})
    const spine = await started(broker.url, { ca: authority })
    await until(() => logged.some((line) => line.includes('connected to the MQTT broker')))
    const device = await mqtt.connectAsync(broker.url, { protocolVersion: 5, ca: authority })
    afterTest(() => device.endAsync(true))
    await device.publishAsync('wards/default/beds/7/vitals', '{"n":1}', { qos: 1 })
    const [event] = await eventsOf(spine, 'wards.vitals-taken', 1)
    expect(event).toMatchObject({ data: { n: 1, bed: '7' } })
  })

  test('shows its own certificate to a broker that asks for one, and takes the name it is told', async () => {
    const broker = await Mosquitto.start({ clients: true })
    await started(broker.url, { ca: authority, ...ward, servername: 'broker.example' })
    await until(() => logged.some((line) => line.includes('connected to the MQTT broker')))
  })

  test.each<[string, { readonly clients?: boolean } | undefined, Tls, RegExp]>([
    ['another authority', {}, { ca: stranger.cert }, /no authority that is trusted here.*tls\.ca/],
    ['no authority', {}, {}, /no authority that is trusted here.*tls\.ca/],
    [
      'another name',
      {},
      { ca: authority, servername: 'other.example' },
      /another name.*tls\.servername.*broker\.example/,
    ],
    [
      'a certificate of a stranger',
      { clients: true },
      { ca: authority, ...stranger },
      /a certificate of ours/,
    ],
    ['no certificate of ours', { clients: true }, { ca: authority }, /a certificate of ours.*tls\.cert/],
  ])('refuses %s, and says what to do', async (_, tls, given, wanted) => {
    const broker = await Mosquitto.start(tls)
    expect(await refusal(broker.url, given)).toMatch(wanted)
  })
})
