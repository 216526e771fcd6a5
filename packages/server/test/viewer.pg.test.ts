// What a viewer is shown: everything but what is personal, by every way of reading; and nobody else is shown more of that.
import { randomBytes } from 'node:crypto'
import { defineApp, defineEvent, defineSubscription, PermanentError } from 'eventspine'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { createApiKey, roleNames, roles } from '../src/index.js'
import { Fixture } from './fixture.js'

const email = 'ann.secret@example.com'
const registered = defineEvent({
  type: 'shop.customer-registered',
  schema: z.object({ customer: z.string(), email: z.email() }),
  key: ({ customer }) => customer,
  personal: { person: ({ customer }) => customer, fields: { email: 'erased@invalid.example' } },
})
const seen: string[] = []
const greet = defineSubscription({
  name: 'greet',
  on: registered,
  handle: ({ data }) => {
    seen.push(data.email)
    throw new PermanentError('no mail today')
  },
})
const keys = Object.fromEntries(
  roleNames.map((role) => [role, createApiKey({ scopes: roles[role], name: role })]),
)
const fixture = new Fixture(
  { development: false, apiKeys: Object.values(keys).map(({ record }) => record) },
  { personalKeys: [randomBytes(32).toString('base64')] },
  defineApp({ name: 'personal', events: [registered], subscriptions: [greet] }),
)
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

const headersOf = (role: string) => ({ authorization: `Bearer ${keys[role]?.key ?? ''}` })
const read = (role: string, path: string) => fixture.send(path, { headers: headersOf(role) })

test.each(roleNames)('a %s sees the letter and its event, and nothing personal of it', async (role) => {
  const id = `c-${role}`
  const json = { type: registered.type, id, data: { customer: id, email } }
  expect((await fixture.send('/v1/events', { json, headers: headersOf('admin') })).status).toBe(202)
  const list = await fixture.until(
    () => read(role, `/v1/dead-letters?key=${id}`),
    (reply) => (reply.json.items as unknown as unknown[]).length === 1,
  )
  // The handler was given it plain.
  expect(seen).toContain(email)
  const [letter] = list.json.items as unknown as { id: string }[]
  const pattern = encodeURIComponent(JSON.stringify({ data: { customer: [id] } }))
  const paths = [
    ...[`/v1/events/${id}`, `/v1/events/${id}/trace`, '/v1/events', `/v1/events?pattern=${pattern}`],
    ...[`/v1/dead-letters/${encodeURIComponent(letter?.id ?? '')}`, '/v1/dead-letters/groups', '/v1/audit'],
    ...['/v1/overview', '/v1/doctor', '/v1/map', '/v1/contracts', '/v1/subscriptions'],
  ]
  for (const path of paths) {
    const reply = await read(role, path)
    expect([path, reply.status]).toEqual([path, 200])
    expect([path, reply.text.includes(email)]).toEqual([path, false])
  }
  expect((await read(role, `/v1/events/${id}`)).text).toContain(id)
})
