// Schedules over HTTP: a key sees those of its tenant, and may have one run.
import { defineApp, defineEvent } from 'eventspine'
import { schedule } from 'eventspine/workflow'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createApiKey } from '../src/index.js'
import { Fixture } from './fixture.js'

const due = defineEvent({ type: 'reports.due', schema: z.object({}) })
const yearly = (name: string, tenant?: string) =>
  schedule({ name, cron: '0 0 1 1 *', event: due, data: () => ({}), ...(tenant !== undefined && { tenant }) })
const ada = createApiKey({ scopes: ['read', 'operate'], name: 'ada' })
const acme = createApiKey({ scopes: ['read', 'operate'], name: 'eve', tenant: 'acme' })
const fixture = new Fixture(
  { development: false, apiKeys: [ada.record, acme.record] },
  {},
  defineApp({ name: 'books', events: [due], schedules: [yearly('report'), yearly('invoice', 'acme')] }),
)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const as = ({ key }: { readonly key: string }) => ({ authorization: `Bearer ${key}` })
const list = async (key: typeof ada, query = '') =>
  (await fixture.send(`/v1/schedules${query}`, { headers: as(key) })).json as unknown as {
    schedules: { name: string; tenant: string }[]
  }
const run = (key: typeof ada, name: string) =>
  fixture.send(`/v1/schedules/${name}/run`, { headers: as(key), json: {} })

test('a key sees the schedules of its tenant, and one of none sees all', async () => {
  expect((await list(ada)).schedules.map(({ name }) => name)).toEqual(['invoice', 'report'])
  expect((await list(acme)).schedules.map(({ name }) => name)).toEqual(['invoice'])
  expect((await list(acme, '?tenant=default')).schedules).toEqual([])
})

test('has one run, for who may, and says what there is not', async () => {
  const { status, json } = await run(acme, 'invoice')
  expect([status, json]).toEqual([202, { schedule: 'invoice', event: expect.any(String) }])
  for (const name of ['report', 'none'])
    expect((await run(acme, name)).json).toMatchObject({ code: 'NOT_FOUND' })
  expect((await run(ada, 'report')).status).toBe(202)
})
