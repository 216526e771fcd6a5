// Whole processes that own a database: killed, interrupted, under other accounts, below closed folders. Each runs
// from an installation as npm leaves it without install scripts.
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from '../src/index.js'
import { processesIn, startOf, waitUntil } from '../src/processes.js'
import { install, nativeOf, Owner, openFolder, removeFolder } from './installation.js'
import { query, queryWhenBack } from './queries.js'

type Ids = { uid?: number; gid?: number }

const isRoot = process.getuid?.() === 0
const nobody = { uid: 65534, gid: 65534 }
const nameless = { uid: 54321, gid: 54321 }
const waitMsMax = 20_000

let installation: string
let folder: string
let directory: string
let owners: Owner[]

beforeAll(() => {
  installation = openFolder()
  install(installation)
})

afterAll(() => removeFolder(installation))

beforeEach(() => {
  folder = openFolder()
  directory = join(folder, 'database')
  owners = []
})

afterEach(async () => {
  for (const owner of owners) await owner.signal('SIGKILL')
  // Whatever a failed test left running is joined and stopped like any orphan.
  if (existsSync(join(directory, 'data', 'postmaster.pid'))) {
    const postgres = new EmbeddedPostgres({ directory })
    await postgres.start()
    await postgres.stop()
  }
  removeFolder(folder)
})

function own(options: Partial<EmbeddedPostgresOptions> = {}, ids: Ids = {}, from = installation): Owner {
  const owner = new Owner(from, { directory, ...options }, ids)
  owners.push(owner)
  return owner
}

function serverPid(of = directory): number {
  return Number(readFileSync(join(of, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
}

function isGone(pid: number): Promise<boolean> {
  return waitUntil(() => startOf(pid) === undefined, waitMsMax)
}

describe('a process that is killed', () => {
  test('leaves a server that the next start takes over and ends', async () => {
    const killed = own()
    const url = await killed.ready()
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    const pid = serverPid()
    await killed.signal('SIGKILL')
    const next = own()
    expect(await next.ready()).toBe(url)
    expect(serverPid()).toBe(pid)
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(await next.signal('SIGTERM')).toBe(0)
    expect(startOf(pid)).toBeUndefined()
  })

  test('together with its server, whose session works on, does not stop the next start', async () => {
    const killed = own()
    const url = await killed.ready()
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    const session = await busySession(url)
    await killed.signal('SIGKILL')
    process.kill(serverPid(), 'SIGKILL')
    const next = own()
    expect(await query(await next.ready(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(startOf(session)).toBeUndefined()
    expect(await next.signal('SIGTERM')).toBe(0)
  })

  test('while it makes the database does not stop the next start', async () => {
    const killed = own()
    const making = () =>
      readdirSync(directory).find((name) => name.startsWith('making') && !name.includes('.'))
    const begun = () => existsSync(directory) && existsSync(join(directory, making() ?? 'none', 'PG_VERSION'))
    expect(await waitUntil(begun, waitMsMax)).toBe(true)
    await killed.signal('SIGKILL')
    const next = own()
    expect(await query(await next.ready(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(making()).toBeUndefined()
    expect(await next.signal('SIGTERM')).toBe(0)
  })

  test('takes a temporary server and its files with it', async () => {
    const killed = own({ temporary: true })
    await killed.ready()
    const pid = serverPid()
    await killed.signal('SIGKILL')
    expect(await isGone(pid)).toBe(true)
    expect(await waitUntil(() => !existsSync(directory), waitMsMax)).toBe(true)
  })
})

describe('a process that ends', () => {
  test('by Ctrl-C still has its server while it finishes, and leaves nothing', async () => {
    const owner = own()
    const url = await owner.ready()
    const pid = serverPid()
    const other = own()
    await other.ready()
    expect(await owner.interruptGroup()).toBe(0)
    expect(serverPid()).toBe(pid)
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(await other.interruptGroup()).toBe(0)
    expect(startOf(pid)).toBeUndefined()
    expect(processesIn(join(directory, 'data'))).toEqual([])
    expect(readdirSync(join(directory, 'members'))).toEqual([])
  })

  test('without stop ends its server', async () => {
    const owner = own()
    await owner.ready()
    const pid = serverPid()
    expect(await owner.exitAtOnce()).toBe(0)
    expect(await isGone(pid)).toBe(true)
  })
})

describe('a server that is killed', () => {
  test('comes back for every process that shares it', async () => {
    const [first, second] = [own(), own()]
    const [url, same] = await Promise.all([first.ready(), second.ready()])
    expect(same).toBe(url)
    const pid = serverPid()
    process.kill(pid, 'SIGKILL')
    expect(await queryWhenBack(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(serverPid()).not.toBe(pid)
    await first.signal('SIGTERM')
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(await second.signal('SIGTERM')).toBe(0)
  })
})

describe('the installation', () => {
  test('is repaired: library links and execute bits', async () => {
    const fresh = join(folder, 'fresh')
    install(fresh)
    for (const name of readdirSync(join(nativeOf(fresh), 'bin')))
      chmodSync(join(nativeOf(fresh), 'bin', name), 0o644)
    const owner = own({}, {}, fresh)
    expect(await query(await owner.ready(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(lstatSync(join(nativeOf(fresh), 'lib', 'libpq.so.5')).isSymbolicLink()).toBe(true)
    expect(existsSync(join(directory, 'programs'))).toBe(false)
    await owner.signal('SIGTERM')
  })

  test.skipIf(!isRoot)('that cannot be written is repaired beside the data (needs root)', async () => {
    const fresh = join(folder, 'fresh')
    install(fresh)
    for (const name of readdirSync(join(nativeOf(fresh), 'bin')))
      chmodSync(join(nativeOf(fresh), 'bin', name), 0o644)
    mkdirSync(directory)
    chownSync(directory, nobody.uid, nobody.gid)
    const owner = own({}, nobody, fresh)
    expect(await query(await owner.ready(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(existsSync(join(directory, 'programs', 'bin', 'postgres'))).toBe(true)
    await owner.signal('SIGTERM')
  })
})

describe.skipIf(!isRoot)('accounts (needs root)', () => {
  test('root gives the server to an ordinary account', async () => {
    const owner = own()
    await owner.ready()
    expect(uidOf(serverPid())).toBe(nobody.uid)
    await owner.signal('SIGTERM')
  })

  test('an ordinary user runs it under its own', async () => {
    mkdirSync(directory)
    chownSync(directory, nobody.uid, nobody.gid)
    const owner = own({}, nobody)
    expect(await query(await owner.ready(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(statSync(join(directory, 'data')).uid).toBe(nobody.uid)
    expect(await owner.signal('SIGTERM')).toBe(0)
  })

  test('what root started in the folder of a person stays usable for that person', async () => {
    mkdirSync(directory)
    chownSync(directory, nobody.uid, nobody.gid)
    const root = own()
    await query(await root.ready(), 'CREATE TABLE kept AS SELECT 42 AS answer')
    expect(uidOf(serverPid())).toBe(nobody.uid)
    expect(await root.signal('SIGTERM')).toBe(0)
    const person = own({}, nobody)
    expect(await query(await person.ready(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(await person.signal('SIGTERM')).toBe(0)
  })

  test('the folder of another user is refused with advice', async () => {
    const root = own()
    await root.ready()
    const answer = await own({}, nobody).refused()
    expect(answer).toMatchObject({
      code: 'EMBEDDED_DATABASE_FORBIDDEN',
      message: expect.stringContaining('folder'),
    })
    expect(await root.signal('SIGTERM')).toBe(0)
  })

  test('an account without a name can run it', async () => {
    mkdirSync(directory)
    chownSync(directory, nameless.uid, nameless.gid)
    const owner = own({}, nameless)
    expect(await query(await owner.ready(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(await owner.signal('SIGTERM')).toBe(0)
  })

  test('a parent folder that is closed to all but root holds programs and data alike', async () => {
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    cpSync(installation, join(closed, 'app'), { recursive: true })
    directory = join(closed, 'app', '.eventspine', 'database')
    const killed = own({}, {}, join(closed, 'app'))
    await query(await killed.ready(), 'CREATE TABLE kept AS SELECT 42 AS answer')
    const pid = serverPid()
    await killed.signal('SIGKILL')
    process.kill(pid, 'SIGKILL')
    const next = own({}, {}, join(closed, 'app'))
    expect(await query(await next.ready(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    const last = serverPid()
    expect(await next.signal('SIGTERM')).toBe(0)
    expect(startOf(last)).toBeUndefined()
  })

  test('a parent folder that is closed later, or opened again, does not lose the data', async () => {
    const open = own()
    await query(await open.ready(), 'CREATE TABLE kept AS SELECT 42 AS answer')
    await open.signal('SIGTERM')
    for (const mode of [0o700, 0o755]) {
      chmodSync(folder, mode)
      const owner = own()
      expect(await query(await owner.ready(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
      expect(await owner.signal('SIGTERM')).toBe(0)
    }
  })
})

// Where Debian keeps the servers of each version.
const debianServers = '/usr/lib/postgresql'
const version = existsSync(debianServers)
  ? readdirSync(debianServers).find((name) => Number(name) >= 15)
  : undefined

describe.skipIf(version === undefined)('another server program (needs postgresql)', () => {
  test('runs in place of the packaged one', async () => {
    const owner = own({ postgresBinary: join(debianServers, version ?? '', 'bin', 'postgres') })
    const rows = await query(await owner.ready(), 'SHOW server_version')
    expect(String(rows[0]?.server_version)).toMatch(new RegExp(`^${version}\\.`))
    expect(await owner.signal('SIGTERM')).toBe(0)
  })
})

/** Starts a statement that works for minutes without ever waiting, so it does not notice what happens around it. */
async function busySession(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
  client.query('SELECT count(*) FROM generate_series(1, 100000000) AS n WHERE n % 7 = 3').catch(() => {})
  return Number(rows[0]?.pid)
}

function uidOf(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}
