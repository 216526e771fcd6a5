// Endpoints of webhooks over HTTP: a key sees and steers those of its tenant.
import { defineApp, defineEvent } from 'eventspine'
import { webhooksOut } from 'eventspine/webhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createApiKey } from '../src/index.js'
import { Fixture } from './fixture.js'

const placed = defineEvent({ type: 'orders.placed', schema: z.object({}) })
const partners = webhooksOut({ name: 'partners', on: placed, endpoints: () => [], endpoint: () => null })
const ada = createApiKey({ scopes: ['read', 'operate'], name: 'ada' })
const acme = createApiKey({ scopes: ['read', 'operate'], name: 'eve', tenant: 'acme' })
const looker = createApiKey({ scopes: ['read'], name: 'lou' })
const fixture = new Fixture(
  { development: false, apiKeys: [ada.record, acme.record, looker.record] },
  {},
  defineApp({ name: 'shop', webhooks: [partners] }),
)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

type Key = typeof ada
const headersOf = ({ key }: Key) => ({ authorization: `Bearer ${key}` })
const list = async (key: Key, query = '') =>
  (await fixture.send(`/v1/webhooks${query}`, { headers: headersOf(key) })).json as {
    items?: { endpoint: string; tenant: string }[]
    code?: string
  }
const set = (key: Key, body: object, name = 'partners') =>
  fixture.send(`/v1/webhooks/${name}`, { headers: headersOf(key), json: body })

test('endpoints are disabled, listed and enabled', async () => {
  const json = { endpoint: 'ep/1', state: 'disabled', reason: 'they asked for it' }
  expect((await set(ada, json)).json).toEqual({ webhooks: 'partners', endpoint: 'ep/1', state: 'disabled' })
  expect((await set(acme, { endpoint: 'ep/2', state: 'disabled' })).status).toBe(200)
  expect((await list(ada)).items).toMatchObject([
    { endpoint: 'ep/2', tenant: 'acme', disabled: { by: 'eve', cause: 'person', reason: null } },
    { endpoint: 'ep/1', tenant: 'default', disabled: { by: 'ada', reason: 'they asked for it' } },
  ])
  expect((await list(ada, '?state=failing')).items).toEqual([])
  expect((await set(ada, { endpoint: 'ep/1', state: 'enabled' })).status).toBe(200)
  expect((await list(ada)).items?.map(({ endpoint }) => endpoint)).toEqual(['ep/2'])
})

test('a key of one tenant sees and steers its own', async () => {
  await set(ada, { endpoint: 'ep/3', state: 'disabled' })
  expect((await list(acme)).items?.map(({ tenant }) => tenant)).toEqual(['acme'])
  expect((await list(acme, '?tenant=default')).items).toEqual([])
  const foreign = { endpoint: 'ep/3', state: 'enabled', tenant: 'default' }
  expect(await set(acme, foreign)).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } })
  expect((await list(ada, '?tenant=default')).items?.map(({ endpoint }) => endpoint)).toEqual(['ep/3'])
})

test('what is not there, or may not be done, is refused', async () => {
  expect(await list(ada, '?webhooks=strangers')).toMatchObject({ code: 'NOT_FOUND' })
  const unknown = { endpoint: 'ep/9', state: 'enabled' }
  expect(await set(ada, unknown)).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } })
  expect((await set(ada, { endpoint: 'ep/9', state: 'disabled' }, 'strangers')).status).toBe(404)
  expect((await set(ada, { endpoint: 'ep/9', state: 'paused' })).status).toBe(400)
  expect((await set(looker, { endpoint: 'ep/9', state: 'disabled' })).status).toBe(403)
})
