import { expect, test } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { Database } from './database.js'

const statementOf = (url: string) =>
  new Database({ url }, systemClock).statement('deliver.tick', 'SELECT 1', [])

test('statements are prepared under the name of their schema', () => {
  expect(statementOf('postgres://u:p@127.0.0.1/db').name).toBe('eventspine.deliver.tick')
  expect(statementOf('postgres://u:p@127.0.0.1/db?pgbouncer=false').name).toBe('eventspine.deliver.tick')
})

test.each(['?pgbouncer=true', '?sslmode=disable&pgbouncer=true', '?pgbouncer=true&x=y'])(
  'behind a pooler (%s) they have no name: the next one goes to another session',
  (query) => {
    expect(statementOf(`postgres://u:p@127.0.0.1/db${query}`)).toEqual({
      text: '/* deliver.tick */ SELECT 1',
      values: [],
    })
  },
)
