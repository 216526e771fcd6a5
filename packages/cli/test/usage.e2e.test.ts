// How the command answers those who call it wrongly: exit code, one line, what to do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { eventspine, shop } from './command.js'
import { refusal } from './day.js'

const folder = mkdtempSync(join(tmpdir(), 'eventspine-usage-'))
const nowhere = 'postgres://nobody:secret@127.0.0.1:1/nothing'

afterAll(() => rmSync(folder, { recursive: true }))

describe('help', () => {
  it('lists every command and every exit code', async () => {
    const { code, output } = await eventspine(['--help'])
    expect(code).toBe(0)
    const names = [
      'dev',
      'start',
      'worker',
      'migrate',
      'publish',
      'events',
      'subscriptions',
      'dead',
      'redrive',
      'replay',
      'breakers',
      'workers',
      'audit',
      'doctor',
    ]
    for (const name of names) expect(output).toMatch(new RegExp(`^  ${name}\\b`, 'm'))
    for (const exitCode of [0, 1, 2, 3, 4, 130]) expect(output).toMatch(new RegExp(`^  ${exitCode}  `, 'm'))
    expect(output).not.toMatch(/^ {2}serve\b/m)
  }, 60_000)
})

interface Wrong {
  readonly name: string
  readonly parameters: readonly string[]
  readonly code: number
  readonly failure: { readonly code: string; readonly message: RegExp; readonly field?: string }
}

const wrong: readonly Wrong[] = [
  {
    name: 'an unknown command',
    parameters: ['dockter'],
    code: 2,
    failure: { code: 'USAGE', message: /Did you mean doctor\?/ },
  },
  {
    name: 'an unknown flag',
    parameters: ['dead', 'list', '--subscripton', 'x'],
    code: 2,
    failure: { code: 'USAGE', message: /Did you mean --subscription\?/ },
  },
  {
    name: 'a number that is none',
    parameters: ['events', 'list', '--limit', '0'],
    code: 2,
    failure: { code: 'USAGE', message: /whole number from 1 to 500/ },
  },
  {
    name: 'a date that is none',
    parameters: ['replay', 'bill', '--from', '2026-02-31'],
    code: 2,
    failure: { code: 'USAGE', message: /2026-01-31T12:00:00Z/ },
  },
  {
    name: 'a missing app file',
    parameters: ['doctor', '--app', 'no/such.ts'],
    code: 2,
    failure: { code: 'APP_MISSING', message: /no such file/, field: '--app' },
  },
  {
    name: 'a module without an app',
    parameters: ['doctor', '--app', new URL('./command.ts', import.meta.url).pathname],
    code: 2,
    failure: { code: 'APP_INVALID', message: /export const app = defineApp/, field: '--app' },
  },
  {
    name: 'an address that is none',
    parameters: ['doctor', '--app', shop, '--database-url', 'localhost:5432'],
    code: 2,
    failure: { code: 'DATABASE_URL_INVALID', message: /postgres:\/\/user/, field: '--database-url' },
  },
  {
    name: 'a database that is away',
    parameters: ['doctor', '--app', shop, '--database-url', nowhere],
    code: 4,
    failure: { code: 'UNAVAILABLE', message: /cannot be reached.*ECONNREFUSED/ },
  },
  {
    name: 'an unknown cell',
    parameters: ['doctor', '--app', shop, '--database-url', nowhere, '--cell', 'acme'],
    code: 3,
    failure: { code: 'CELL_UNKNOWN', message: /There are: main/, field: '--cell' },
  },
  {
    name: 'production without a server',
    parameters: ['start', '--app', shop, '--no-api'],
    code: 2,
    failure: { code: 'DATABASE_NEEDED', message: /DATABASE_URL/, field: '--database-url' },
  },
  {
    name: 'production on a server that is away',
    parameters: ['start', '--app', shop, '--no-api', '--database-url', nowhere],
    code: 4,
    failure: { code: 'UNAVAILABLE', message: /cannot be reached/ },
  },
]

describe('wrong usage', () => {
  it.each(wrong.filter(({ parameters }) => parameters[0] !== 'start'))(
    '$name ends with $code',
    async ({ parameters, code, failure }) => {
      const found = await refusal(code, parameters)
      expect(found).toMatchObject({ ...failure, message: expect.stringMatching(failure.message) })
      expect(found.message).not.toContain('secret')
    },
  )

  it.each(wrong.filter(({ parameters }) => parameters[0] === 'start'))(
    '$name ends with $code',
    async ({ parameters, code, failure }) => {
      const result = await eventspine([...parameters, '--json'])
      expect(result.failure()).toMatchObject({ ...failure, message: expect.stringMatching(failure.message) })
      expect(result.code).toBe(code)
      expect(result.errors).not.toContain('secret')
      expect(result.output).toBe('')
    },
    60_000,
  )

  it('is one line for people, without control characters', async () => {
    const { errors } = await eventspine(['doctor', '--app', 'no\u001b[31m/such.ts'])
    expect(errors).toMatch(/^error --app no\\u001b\[31m\/such\.ts names .*\[APP_MISSING\]\n$/)
  }, 60_000)

  it('says where an app that cannot be loaded is broken', async () => {
    const file = join(folder, 'broken.mjs')
    writeFileSync(file, 'throw new Error("the tax table is missing")\n')
    const { code, errors } = await eventspine(['doctor', '--app', file])
    expect(errors).toContain('broken.mjs cannot be loaded: the tax table is missing')
    expect(code).toBe(2)
  }, 60_000)

  it('finds no database where none was made', async () => {
    const result = await eventspine(['dead', 'list', '--app', shop, '--json'], {
      environment: { EVENTSPINE_DIRECTORY: join(folder, 'empty') },
    })
    expect(result.failure()).toMatchObject({
      code: 'DATABASE_MISSING',
      message: expect.stringContaining('eventspine dev'),
    })
    expect(result.code).toBe(4)
  }, 60_000)
})
