// How people get in: the way through the API, where whoever runs the ward asks.
import { createApiKey, createServer } from '@eventspine/server'
import { expect, test, vi } from 'vitest'
import { afterTest } from '../../../test/spine.js'
import { opened } from './visitor.js'

vi.setConfig({ testTimeout: 60_000 })

const keys = {
  lead: createApiKey({ scopes: ['operate'], name: 'lead' }),
  gateway: createApiKey({ scopes: ['publish'], name: 'ward-icu' }),
}

test('whoever runs the ward invites a person, who signs in once; the code stands in no event', async () => {
  const { stage, visitor } = await opened()
  const server = createServer(stage.spine, {
    port: 0,
    apiKeys: Object.values(keys).map(({ record }) => record),
  })
  afterTest(() => server.stop())
  const { url } = await server.start()
  const invite = async (body: object, key: keyof typeof keys = 'lead', person = 'second') => {
    const response = await fetch(`${url}/people/${person}/invitations`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', prefer: 'wait=20' },
        authorization: `Bearer ${keys[key].key}`,
      },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Record<string, string> }
  }
  expect((await invite({ ward: 'icu' }, 'gateway')).status).toBe(403)
  expect((await invite({ ward: 'icu' }, 'lead', 'a b')).status).toBe(400)
  expect((await invite({})).status).toBe(400)
  const { status, body } = await invite({ ward: 'icu' })
  expect(status).toBe(200)
  const [path, code = ''] = body['path']?.split('#') ?? []
  expect(path).toBe('/sign-in')
  expect(code).toMatch(/^[\w-]{22}$/)
  const events = await stage.spine.operator().events({ limit: 500 })
  expect(events.items.map(({ type }) => type)).toContain('ward.person-invited')
  expect(JSON.stringify(events)).not.toContain(code)
  const enter = () => visitor.ask('/api/session', { method: 'POST', body: { code } })
  expect(await enter()).toMatchObject({ status: 201, body: { person: 'second', ward: 'icu', kind: 'carer' } })
  expect((await enter()).status).toBe(401)
})
