// CloudEvents against what their project publishes: what is one is in the log as it was meant, what is none is refused with the field
// at fault. Where Eventspine takes less, the last tests say so, and docs/guides/sources.md says why.
import { defineApp, defineEvent } from 'eventspine'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  brokenHeaderValues,
  forbiddenCharacters,
  headerValues,
  invalidBatches,
  invalidEvents,
  noTypes,
  otherwise,
  readData,
  requests,
  validEvents,
} from './cloud-events.cases.js'
import { Fixture, type Reply } from './fixture.js'

const types = ['io.cloudevents.test', 'com.example.someevent', 'com.example.someotherevent']
const app = defineApp({
  name: 'cloud-events',
  events: types.map((type) => defineEvent({ type, schema: z.unknown() })),
  subscriptions: [],
})

const fixture = new Fixture({}, {}, app)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const posted = (type: string, value: unknown) =>
  fixture.send('/v1/events', {
    headers: { 'content-type': `application/${type}+json` },
    body: JSON.stringify(value),
  })

async function stored(reply: Reply, id: string): Promise<Readonly<Record<string, unknown>>> {
  expect(reply.status, reply.text).toBe(202)
  expect(reply.json.events).toMatchObject([{ id }])
  return (await fixture.send(`/v1/events/${encodeURIComponent(id)}`)).json.event as unknown as Record<
    string,
    unknown
  >
}

const refusal = ({ status, json }: Reply) => `${status} ${json.code} ${json.field}`

describe('structured mode', () => {
  test.each([...validEvents, ...readData])('%s', async (_, event, wanted) => {
    const found = await stored(await posted('cloudevents', event), String(event.id))
    expect(found).toMatchObject(wanted)
    if (wanted.extensions !== undefined) expect(found.extensions).toEqual(wanted.extensions)
    if (event.subject === null) expect(found).not.toHaveProperty('subject')
  })

  test.each(invalidEvents)('refuses %s', async (_, event, field) => {
    expect(refusal(await posted('cloudevents', event))).toBe(`400 CLOUDEVENT_INVALID ${field}`)
  })
})

describe('batched mode', () => {
  test('takes all that are valid in one, and what stands twice once', async () => {
    const events = [...validEvents, ...readData].map(([, event]) => ({ ...event, id: `batch-${event.id}` }))
    const reply = await posted('cloudevents-batch', [...events, events[0]])
    expect(reply.status, reply.text).toBe(202)
    const ids = [...events, events[0]].map((event) => event?.id)
    expect((reply.json.events as unknown as { id: string }[]).map(({ id }) => id)).toEqual(ids)
    const rows = await fixture.query(`SELECT id FROM eventspine.event WHERE id LIKE 'batch-%'`)
    expect(rows).toHaveLength(events.length)
  })

  test.each(invalidBatches)('refuses %s, and all beside it', async (_, batch, field) => {
    const before = await fixture.eventsStored()
    expect(refusal(await posted('cloudevents-batch', batch))).toBe(`400 CLOUDEVENT_INVALID ${field}`)
    expect(await fixture.eventsStored()).toBe(before)
  })
})

describe('HTTP', () => {
  test.each(requests)('%s', async (_, request, id, wanted) => {
    expect(await stored(await fixture.send('/v1/events', request), id)).toMatchObject(wanted)
  })

  const subject = (value: string, id: string) =>
    fixture.send('/v1/events', {
      method: 'POST',
      headers: {
        ...{ 'ce-specversion': '1.0', 'ce-type': 'io.cloudevents.test', 'ce-source': '/headers' },
        ...{ 'ce-id': id, 'ce-subject': value },
      },
    })

  test.each(headerValues)('reads the header %s as %s', async (value, wanted) => {
    const id = `header-${headerValues.findIndex(([each]) => each === value)}`
    expect(await stored(await subject(value, id), id)).toMatchObject({ subject: wanted })
  })

  test.each(brokenHeaderValues)('refuses the header %s', async (value) => {
    expect(refusal(await subject(value, 'broken'))).toBe('400 CLOUDEVENT_INVALID /subject')
  })

  test.each(forbiddenCharacters.map((each) => encodeURIComponent(each)))(
    'refuses the character %s, in attributes and extensions',
    async (encoded) => {
      expect(refusal(await subject(`a${encoded}b`, 'forbidden'))).toBe('422 EVENT_INVALID /subject')
      const event = { specversion: '1.0', type: 'io.cloudevents.test', source: '/s', id: 'forbidden' }
      const shop = `a${decodeURIComponent(encoded)}b`
      const reply = await posted('cloudevents', { ...event, shop })
      expect(reply.status).toBeGreaterThanOrEqual(400)
      expect(await fixture.query(`SELECT 1 FROM eventspine.event WHERE id = 'forbidden'`)).toEqual([])
    },
  )
})

// Each deliberate: docs/guides/sources.md, "CloudEvents over HTTP".
describe('what is otherwise here', () => {
  test.each(otherwise)('%s is refused', async (_, event, wanted) => {
    expect(refusal(await posted('cloudevents', event))).toBe(wanted)
  })

  test.each(noTypes)(
    'the type of data "%s" is refused like any that is not JSON',
    async (datacontenttype) => {
      const event = {
        specversion: '1.0',
        type: 'io.cloudevents.test',
        source: '/s',
        id: 'untyped',
        datacontenttype,
      }
      expect(refusal(await posted('cloudevents', event))).toBe(
        '415 CONTENT_TYPE_UNSUPPORTED /datacontenttype',
      )
    },
  )

  test('an empty batch is refused: nothing was published', async () => {
    expect(refusal(await posted('cloudevents-batch', []))).toMatch(/^400 REQUEST_INVALID/)
  })

  test('integers may be larger than the 32 bits of CloudEvents', async () => {
    const event = {
      specversion: '1.0',
      type: 'io.cloudevents.test',
      source: '/s',
      id: 'large',
      large: 2 ** 40,
    }
    expect(await stored(await posted('cloudevents', event), 'large')).toMatchObject({
      extensions: { large: 2 ** 40 },
    })
  })
})
