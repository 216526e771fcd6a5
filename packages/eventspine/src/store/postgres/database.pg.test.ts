import pg from 'pg'
import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { Database } from './database.js'

const url = process.env['EVENTSPINE_TEST_DIRECT_DATABASE_URL'] ?? ''
afterEach(() => void vi.restoreAllMocks())

test.each([
  ['a connection plans its statements anew after two seconds', url, 1],
  ['behind a pooler they are planned each time anyway', `${url}?pgbouncer=true`, 0],
])('%s', async (_, address, renewals) => {
  let now = 0
  const database = new Database({ url: address }, { ...systemClock, monotonic: () => now })
  const sent = vi.spyOn(pg.Client.prototype, 'query')
  const discarded = () => sent.mock.calls.filter(([text]) => String(text).includes('DISCARD PLANS')).length
  const ask = () => database.query('settle', 'tests.one', 'SELECT 1')
  try {
    await ask()
    now = 1_999
    await ask()
    expect(discarded()).toBe(0)
    now = 2_000
    await ask()
    now = 3_999
    await ask()
    expect(discarded()).toBe(renewals)
  } finally {
    await database.close()
  }
})
