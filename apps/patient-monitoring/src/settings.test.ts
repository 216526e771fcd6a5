// What the environment may set, and what it is told where it is wrong.
import { expect, test } from 'vitest'
import { FirstWard } from './before/first-ward.js'
import { settingsFrom } from './settings.js'
import { Ward } from './ward.js'

test('what is not set is left to its default', () => {
  expect(settingsFrom({ WARD_BROKER: '' })).toEqual({})
  expect(settingsFrom({ WARD_BROKER: 'mqtt://broker', WARD_MQTT_PORT: '1', WARD_SILENT_MS: '5000' })).toEqual(
    {
      devices: { url: 'mqtt://broker' },
      silentMs: 5_000,
    },
  )
  expect(
    settingsFrom({ WARD_PUSH_ORIGINS: 'https://a.example,https://*.b.example' }).pushOrigins,
  ).toHaveLength(2)
})

test('what is wrong is told with what to write', () => {
  expect(() => settingsFrom({ WARD_MQTT_PORT: '70000' })).toThrow(
    'WARD_MQTT_PORT is "70000". Give a whole number up to 65535',
  )
  expect(() => settingsFrom({ WARD_ANSWER_MS: 'a minute' })).toThrow('WARD_ANSWER_MS is "a minute"')
  expect(() => settingsFrom({ WARD_READING_AGE_MS: '-1' })).toThrow('WARD_READING_AGE_MS is "-1"')
  for (const readingAgeMsMax of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    for (const shape of [Ward, FirstWard])
      expect(() => new shape({ readingAgeMsMax })).toThrow(
        `readingAgeMsMax is ${readingAgeMsMax}. Give whole milliseconds from 0`,
      )
})

test('what stands between a reading and a person is of the alarm class, and nothing else is', () => {
  const { app } = new Ward()
  const urgent = app.subscriptions.filter(({ priority }) => priority === 'alarm').map(({ name }) => name)
  expect(urgent.sort()).toEqual([
    ...['acknowledge', 'address', 'devices', 'duty', 'push', 'qualify', 'watch'],
    ...['workflow-escalation', 'workflow-escalation-events', 'workflow-escalation-start'],
  ])
})
