// Starting, stopping and starting again, in one process.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  findFreePort,
  startTemporaryPostgres,
} from '../src/index.js'
import { startOf, waitUntil } from '../src/processes.js'
import { openFolder, removeFolder } from './installation.js'
import { query, queryWhenBack } from './queries.js'

let folder: string
let started: EmbeddedPostgres[]

beforeEach(() => {
  folder = openFolder()
  started = []
})

afterEach(async () => {
  for (const postgres of started) await postgres.stop()
  removeFolder(folder)
})

function embedded(options: Partial<EmbeddedPostgresOptions> = {}): EmbeddedPostgres {
  const postgres = new EmbeddedPostgres({ directory: join(folder, 'database'), ...options })
  started.push(postgres)
  return postgres
}

function serverPid(): number {
  return Number(readFileSync(join(folder, 'database', 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
}

async function setting(url: string, name: string): Promise<unknown> {
  return (await query(url, `SELECT current_setting('${name}') AS value`))[0]?.value
}

describe('the first start', () => {
  test('makes a database that is safe by its settings', async () => {
    const { url } = await embedded().start()
    expect(await setting(url, 'fsync')).toBe('on')
    expect(await setting(url, 'synchronous_commit')).toBe('on')
    expect(await setting(url, 'jit')).toBe('off')
    expect(await setting(url, 'server_encoding')).toBe('UTF8')
    expect(await query(url, `SELECT lower('Ä') AS letter`)).toEqual([{ letter: 'ä' }])
  })

  test('listens on loopback only and lets nobody in without the password', async () => {
    const { url } = await embedded().start()
    expect(await setting(url, 'listen_addresses')).toBe('127.0.0.1')
    expect(await setting(url, 'unix_socket_directories')).toBe('')
    const wrong = new URL(url)
    wrong.password = 'guess'
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
    expect(statSync(join(folder, 'database', 'password')).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'database', 'data')).mode & 0o777).toBe(0o700)
  })

  test('clears away what a start that was killed half way had made', async () => {
    const halfMade = join(folder, 'database', 'making-of-before')
    mkdirSync(halfMade, { recursive: true })
    writeFileSync(join(halfMade, 'PG_VERSION'), '18\n')
    const { url } = await embedded().start()
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(readdirSync(join(folder, 'database')).filter((name) => name.startsWith('making'))).toEqual([])
  })
})

describe('start and stop', () => {
  test('a later start finds the data at the same address', async () => {
    const postgres = embedded()
    const first = await postgres.start()
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await postgres.stop()
    const second = await postgres.start()
    expect(second.url).toBe(first.url)
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
  })

  test('may each be called twice, and stop before start', async () => {
    const postgres = embedded()
    await postgres.stop()
    const [first, second] = await Promise.all([postgres.start(), postgres.start()])
    expect(first).toEqual(second)
    const pid = serverPid()
    await Promise.all([postgres.stop(), postgres.stop()])
    expect(startOf(pid)).toBeUndefined()
    expect(readdirSync(join(folder, 'database', 'members'))).toEqual([])
  })

  test('two users share one server, which ends with the last of them', async () => {
    const [first, second] = [embedded(), embedded()]
    const addresses = await Promise.all([first.start(), second.start()])
    expect(addresses[0]).toEqual(addresses[1])
    await first.stop()
    expect(await query(addresses[1].url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    const pid = serverPid()
    await second.stop()
    expect(startOf(pid)).toBeUndefined()
  })
})

describe('recovery', () => {
  test('a server that is killed is started again on the same port, with all that was committed', async () => {
    const { url } = await embedded().start()
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    const pid = serverPid()
    process.kill(pid, 'SIGKILL')
    expect(await queryWhenBack(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(serverPid()).not.toBe(pid)
  })

  test('a pid file that names a living stranger does not stop the start', async () => {
    const postgres = embedded()
    await postgres.start()
    const pidFile = join(folder, 'database', 'data', 'postmaster.pid')
    const lines = readFileSync(pidFile, 'utf8').split('\n')
    await postgres.stop()
    writeFileSync(pidFile, [process.pid, ...lines.slice(1)].join('\n'))
    const { url } = await postgres.start()
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a server that does not answer is replaced', async () => {
    const first = embedded()
    const { url } = await first.start()
    const frozen = serverPid()
    process.kill(frozen, 'SIGSTOP')
    const second = embedded()
    expect((await second.start()).url).toBe(url)
    expect(serverPid()).not.toBe(frozen)
    expect(startOf(frozen)).toBeUndefined()
  })

  test('a lost password is replaced by a new one', async () => {
    const postgres = embedded()
    const before = await postgres.start()
    await postgres.stop()
    rmSync(join(folder, 'database', 'password'))
    const after = await postgres.start()
    expect(after.url).not.toBe(before.url)
    expect(await query(after.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('a lock left by a process that is gone is broken', async () => {
    mkdirSync(join(folder, 'database'), { recursive: true })
    writeFileSync(
      join(folder, 'database', 'lock'),
      JSON.stringify({ pid: process.pid, startedAt: 'earlier' }),
    )
    const { url } = await embedded().start()
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})

describe('ports', () => {
  test('a port that the caller insists on and another program has is refused by name', async () => {
    const port = await findFreePort()
    const other = createServer().listen(port, '127.0.0.1')
    try {
      await expect(embedded({ port }).start()).rejects.toMatchObject({
        code: 'EMBEDDED_DATABASE_PORT_TAKEN',
        message: expect.stringContaining(String(port)),
      })
    } finally {
      other.close()
    }
  })

  test('a remembered port that was taken meanwhile gives way to a free one', async () => {
    const postgres = embedded()
    const before = new URL((await postgres.start()).url)
    await postgres.stop()
    const other = createServer().listen(Number(before.port), '127.0.0.1')
    try {
      const { url } = await postgres.start()
      expect(new URL(url).port).not.toBe(before.port)
      expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    } finally {
      other.close()
    }
  })
})

describe('refusals', () => {
  test('data of another version of PostgreSQL is left alone', async () => {
    const postgres = embedded()
    await postgres.start()
    await postgres.stop()
    writeFileSync(join(folder, 'database', 'data', 'PG_VERSION'), '12\n')
    await expect(postgres.start()).rejects.toMatchObject({ code: 'EMBEDDED_DATABASE_OTHER_VERSION' })
  })

  test('a program that is not there is named', async () => {
    const missing = join(folder, 'bin', 'postgres')
    await expect(embedded({ postgresBinary: missing }).start()).rejects.toMatchObject({
      code: 'EMBEDDED_DATABASE_NOT_INSTALLED',
      message: expect.stringContaining(missing),
    })
  })
})

describe('a temporary server', () => {
  test('is gone with its files after stop', async () => {
    const temporary = await startTemporaryPostgres()
    const rows = await query(
      temporary.url,
      `SELECT pg_backend_pid() AS pid, current_setting('data_directory') AS data`,
    )
    const directory = join(String(rows[0]?.data), '..')
    const server = Number(readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
    await temporary.stop()
    await temporary.stop()
    expect(await waitUntil(() => startOf(server) === undefined, 5_000)).toBe(true)
    expect(() => statSync(directory)).toThrow('ENOENT')
  })
})
