// What an operator does for a person who asks: shows what is there, and erases it.
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { persons } from './command.js'
import { Day } from './day.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let day: Day

beforeAll(async () => {
  vi.stubEnv('EVENTSPINE_PERSONAL_KEY', Buffer.alloc(32, 7).toString('base64'))
  day = await Day.begin(persons)
  await day.answered('migrate')
})

afterAll(() => day.end())

const publish = (customer: string) =>
  day.answered(
    ...[
      'publish',
      'shop.registered',
      '--data',
      `{"customer":"${customer}","email":"${customer}@example.com"}`,
    ],
  )

it('exports what the log has of a person, and erases it, with who and why', async () => {
  await publish('c-1')
  await publish('c-2')
  const { output } = await day.command(['personal', 'export', 'c-1'])
  expect(
    output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object),
  ).toMatchObject([{ type: 'shop.registered', data: { customer: 'c-1', email: 'c-1@example.com' } }])
  expect((await day.command(['events', 'list'])).output).not.toContain('@example.com')
  expect(await day.refused(2, 'personal', 'erase', 'c-1')).toMatchObject({ code: 'CONFIRMATION_NEEDED' })
  expect((await day.command(['personal', 'export', 'c-1'])).output).toContain('c-1@example.com')
  expect(await day.answered('personal', 'erase', 'c-1', '--reason', 'asked to', '--yes')).toMatchObject({
    erased: true,
  })
  expect((await day.command(['personal', 'export', 'c-1'])).output).toContain('"email":"erased"')
  expect((await day.command(['personal', 'export', 'c-2'])).output).toContain('c-2@example.com')
  expect((await day.command(['audit'])).output).toContain('person.erase')
  expect(await day.refused(3, 'personal', 'erase', 'c-1', '--yes')).toMatchObject({
    message: expect.stringContaining('Erased before'),
  })
  expect(await day.refused(3, 'personal', 'export', 'nobody')).toMatchObject({ code: 'NOT_FOUND' })
})

it('makes a key, and says where it is missing or wrong', async () => {
  const { key } = await day.answered<{ key: string }>('personal', 'key')
  expect(Buffer.from(key, 'base64')).toHaveLength(32)
  vi.stubEnv('EVENTSPINE_PERSONAL_KEY', '')
  const publishing = ['publish', 'shop.registered', '--data', '{"customer":"c-3","email":"x"}'] as const
  expect(await day.refused(4, ...publishing)).toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringContaining('EVENTSPINE_PERSONAL_KEY'),
  })
  vi.stubEnv('EVENTSPINE_PERSONAL_KEY', `${key},${Buffer.alloc(32, 7).toString('base64')}`)
  expect(await day.answered('personal', 'rewrap')).toEqual({ keys: 1 })
  vi.stubEnv('EVENTSPINE_PERSONAL_KEY', key)
  expect((await day.command(['personal', 'export', 'c-2'])).output).toContain('c-2@example.com')
})
