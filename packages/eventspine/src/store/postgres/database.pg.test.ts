import pg from 'pg'
import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { Database } from './database.js'

const url = process.env['EVENTSPINE_TEST_DIRECT_DATABASE_URL'] ?? ''
afterEach(() => void vi.restoreAllMocks())

test.each([
  ['a connection plans its statements anew after two seconds', url, 'settle', 1],
  ['the one that makes ticks does not: it takes longer than a tick may', url, 'tick', 0],
  ['behind a pooler they are planned each time anyway', `${url}?pgbouncer=true`, 'settle', 0],
] as const)('%s', async (_, address, lane, renewals) => {
  let now = 0
  const database = new Database({ url: address }, { ...systemClock, monotonic: () => now })
  const sent = vi.spyOn(pg.Client.prototype, 'query')
  const discarded = () => sent.mock.calls.filter(([text]) => String(text).includes('DISCARD PLANS')).length
  const ask = () => database.query(lane, 'tests.one', 'SELECT 1')
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

// By its costs PostgreSQL would plan each one for itself once the log is large: 5 ms a tick at ten million events.
test('a tick is planned once for all parameters', async () => {
  const database = new Database({ url }, systemClock)
  try {
    for (let n = 0; n < 8; n++) await database.query('tick', 'tests.tick', 'SELECT $1::int', [n])
    const plans = `SELECT generic_plans::int, custom_plans::int FROM pg_prepared_statements WHERE statement LIKE '/* tests.tick */%'`
    expect(await database.query('tick', 'tests.plans', plans)).toEqual([
      { generic_plans: 8, custom_plans: 0 },
    ])
  } finally {
    await database.close()
  }
})
