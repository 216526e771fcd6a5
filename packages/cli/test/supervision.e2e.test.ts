// `dev` and `start`: processes that are kept running, started anew at changes, and gone without a trace at the end.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { eventspine, isRunning, type OwnDatabase, ownDatabase, Run, shop } from './command.js'
import { eventually } from './day.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

// A project as a user has it: an app file, named in package.json.
const project = mkdtempSync(join(tmpdir(), 'eventspine-project-'))
const source = join(project, 'src')
const app = join(source, 'app.ts')
let database: OwnDatabase
const runs: Run[] = []

beforeAll(async () => {
  database = await ownDatabase()
  // The embedded database runs under another user when the test is root.
  chmodSync(project, 0o711)
  mkdirSync(source)
  copyFileSync(shop, app)
  writeFileSync(join(project, 'package.json'), '{ "type": "module", "eventspine": { "app": "src/app.ts" } }')
  symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(project, 'node_modules'))
})

afterEach(async () => {
  for (const run of runs.splice(0)) await run.kill()
})

afterAll(async () => {
  await database.drop()
  rmSync(project, { recursive: true, force: true, maxRetries: 10 })
})

function start(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}): Run {
  const run = new Run([...parameters, '--json'], { environment, folder: project })
  runs.push(run)
  return run
}

/** Command lines of this machine's processes that name this file; none where that cannot be seen. */
function commandsWith(file: string): string[] {
  const processes = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : []
  return processes.flatMap((id) => {
    try {
      const command = readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return command.includes(file) ? [command] : []
    } catch {
      return []
    }
  })
}

const message = (name: string) => (record: Record<string, unknown>) => record.message === name
const gone = (processId: unknown) =>
  eventually(
    async () => isRunning(processId),
    (running) => !running,
  )

describe('dev', () => {
  it('starts a killed process again, and anew at every change', async () => {
    const run = start(['dev', '--port', '0'], { DATABASE_URL: database.url })
    const ready = await run.record(message('ready'))
    expect(ready).toMatchObject({ app: 'shop', subscriptions: ['bill', 'count-orders'], embedded: false })
    expect((await fetch(`${ready.url}/healthz`)).status).toBe(200)

    process.kill(Number(ready.processId), 'SIGKILL')
    expect(await run.record(message('died'))).toMatchObject({ signal: 'SIGKILL', level: 'error' })
    const again = await run.record(message('restarted'))
    expect((await fetch(`${again.url}/healthz`)).status).toBe(200)

    const seen = run.records.length
    writeFileSync(app, 'export const app = {')
    expect(await run.record(message('changed'), seen)).toMatchObject({ path: 'app.ts' })
    expect(await run.record(message('refused'), seen)).toMatchObject({ code: 'APP_INVALID', next: 'waits' })
    copyFileSync(shop, app)
    const mended = await run.record(message('restarted'), seen)

    run.child.kill('SIGTERM')
    expect(await run.ended()).toBe(0)
    expect(run.records.at(-1)).toMatchObject({ message: 'stopped' })
    for (const { processId } of [ready, again, mended]) await gone(processId)
  })

  it('starts anew at changes of what the app has loaded, and of no data beside it', async () => {
    const folder = join(source, 'watched')
    mkdirSync(folder)
    const file = (name: string, text: string) => writeFileSync(join(folder, name), text)
    file('prices.json', '{"pen":1}')
    file('names.ts', "export const name = 'watched'")
    file(
      'app.ts',
      `import { defineApp } from 'eventspine'
import prices from './prices.json' with { type: 'json' }
import { name } from './names.js'
export const app = defineApp({ name: name + prices.pen, events: [] })`,
    )
    const parameters = ['dev', '--port', '0', '--schema', 'watched', '--app', join(folder, 'app.ts')]
    const run = start(parameters, { DATABASE_URL: database.url })
    expect(await run.record(message('ready'))).toMatchObject({ app: 'watched1' })
    const after = async (change: () => void) => {
      const seen = run.records.length
      change()
      const { path } = await run.record(message('changed'), seen)
      return [path, (await run.record(message('restarted'), seen)).app]
    }
    // Of a burst the last change is told: were one of these seen, it would be that one.
    const data = (text: string) => {
      file('state.json', text)
      file('notes.ts', '')
      mkdirSync(join(folder, 'incoming'), { recursive: true })
      file('incoming/order.json', text)
    }
    const written = (name: string, text: string) => () => {
      file(name, text)
      data(text)
    }
    expect(await after(written('prices.json', '{"pen":2}'))).toEqual(['prices.json', 'watched2'])
    const renamed = written('names.ts', "export const name = 'renamed'")
    expect(await after(renamed)).toEqual(['names.ts', 'renamed2'])
    expect(await after(written('package.json', '{"type":"module"}'))).toEqual(['package.json', 'renamed2'])
    const changes = run.records.filter(message('changed')).map(({ path }) => path)
    expect(changes).toEqual(['prices.json', 'names.ts', 'package.json'])
  })

  it('starts nothing any more when a file changes while it ends', async () => {
    const run = start(['dev', '--port', '0'], { DATABASE_URL: database.url })
    const { processId } = await run.record(message('ready'))
    // It drains for as long as it takes to see the change.
    process.kill(Number(processId), 'SIGSTOP')
    run.child.kill('SIGINT')
    await run.record(message('stopping'))
    copyFileSync(shop, app)
    await run.record(message('changed'))
    process.kill(Number(processId), 'SIGCONT')
    expect(await run.ended()).toBe(0)
    // One that was started would have had the time to write its command line.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(commandsWith(app)).toEqual([])
  })

  it('brings its own database, which other commands join, and leaves nothing behind', async () => {
    const run = start(['dev', '--port', '0'])
    const ready = await run.record(message('ready'))
    expect(ready).toMatchObject({ embedded: true })
    const postmaster = join(project, '.eventspine/postgres/data/postmaster.pid')
    const [databaseId] = readFileSync(postmaster, 'utf8').split('\n')
    const publish = [
      'publish',
      'shop.order-placed',
      '--data',
      '{"order":"e-1","amount":1}',
      '--id',
      'e-1',
      '--json',
    ]
    expect((await eventspine(publish, { folder: source })).document()).toMatchObject({ id: 'e-1' })
    const show = () => eventspine(['events', 'show', 'e-1', '--json'], { folder: project })
    const states = async () => (await show()).document<{ deliveries: { state: string }[] }>().deliveries
    await eventually(
      states,
      (deliveries) => deliveries.length === 2 && deliveries.every(({ state }) => state === 'completed'),
    )

    run.child.kill('SIGINT')
    expect(await run.ended()).toBe(0)
    expect(isRunning(ready.processId)).toBe(false)
    expect(isRunning(databaseId)).toBe(false)
    // Started for the length of one command.
    expect((await show()).code).toBe(0)
    expect(existsSync(postmaster)).toBe(false)
  })

  it('leaves nothing behind when the supervisor itself is killed', async () => {
    const run = start(['dev', '--port', '0'])
    const { processId } = await run.record(message('ready'))
    const postmaster = join(project, '.eventspine/postgres/data/postmaster.pid')
    const [databaseId] = readFileSync(postmaster, 'utf8').split('\n')
    run.child.kill('SIGKILL')
    await gone(processId)
    await gone(databaseId)
  })

  it('says which port is taken', async () => {
    const first = start(['dev', '--port', '0', '--no-watch'], { DATABASE_URL: database.url })
    const { url } = await first.record(message('ready'))
    const { port } = new URL(String(url))
    const second = start(['dev', '--port', port], { DATABASE_URL: database.url })
    expect(await second.ended()).toBe(1)
    expect(JSON.parse(second.errors.trim().split('\n').at(-1) ?? '')).toMatchObject({
      code: 'PORT_TAKEN',
      field: '--port',
    })
  })
})

describe('start', () => {
  it('needs a key, and takes those of the database', async () => {
    const environment = { DATABASE_URL: database.url }
    const none = start(['start', '--workers', '0', '--port', '0'], environment)
    expect(await none.ended()).toBe(2)
    expect(none.errors).toContain('eventspine keys create --name you --role admin')

    const url = ['--database-url', database.url, '--json']
    const made = await eventspine(['keys', 'create', '--name', 'ada', '--role', 'admin', ...url])
    const { key } = made.document<{ key: string }>()
    const run = start(['start', '--workers', '0', '--port', '0'], environment)
    const api = await run.record(message('ready'))
    const asked = await fetch(`${api.url}/v1/keys`, { headers: { authorization: `Bearer ${key}` } })
    expect(await asked.json()).toMatchObject({ items: [{ name: 'ada', role: 'admin', kept: 'database' }] })
    run.child.kill('SIGINT')
    expect(await run.ended()).toBe(0)
  })

  it('keeps workers and the API running, each by itself', async () => {
    const keys = join(project, 'keys.json')
    const create = ['keys', 'create', '--file', keys, '--name', 'shop', '--scopes', 'publish,read', '--json']
    const { key } = (await eventspine(create)).document<{ key: string }>()
    expect(readFileSync(keys, 'utf8')).not.toContain(key)

    const run = start(['start', '--workers', '2', '--keys', keys, '--port', '0'], {
      DATABASE_URL: database.url,
    })
    const of = (name: string) => (record: Record<string, unknown>) =>
      message('ready')(record) && record.process === name
    const [first, second, api] = await Promise.all(
      ['worker 1', 'worker 2', 'HTTP API'].map((name) => run.record(of(name))),
    )
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ type: 'shop.order-placed', data: { order: 'p-1', amount: 1 } })
    const posted = await fetch(`${api?.url}/v1/events`, { method: 'POST', headers, body })
    expect(posted.status).toBe(202)
    expect((await fetch(`${api?.url}/v1/events`)).status).toBe(401)

    const seen = run.records.length
    process.kill(Number(first?.processId), 'SIGKILL')
    expect(await run.record(message('died'), seen)).toMatchObject({ process: 'worker 1', signal: 'SIGKILL' })
    const again = await run.record(of('worker 1'), seen)
    expect(again.starts).toBe(2)
    expect(isRunning(second?.processId)).toBe(true)

    run.child.kill('SIGINT')
    expect(await run.ended()).toBe(0)
    for (const one of [first, second, api, again]) expect(isRunning(one?.processId)).toBe(false)
    // Those that ended by themselves gave every lease back.
    const owners = await database.rows<{ owner: string }>('SELECT DISTINCT owner FROM eventspine.consumer')
    for (const { processId } of [second ?? {}, again]) {
      expect(owners.filter(({ owner }) => owner?.includes(`-${processId}-`))).toEqual([])
    }
  })

  it('does not wait at a second signal', async () => {
    const run = start(['start', '--no-api'], { DATABASE_URL: database.url })
    const { processId } = await run.record(message('ready'))
    // A process that stands still cannot drain.
    process.kill(Number(processId), 'SIGSTOP')
    run.child.kill('SIGTERM')
    await run.record(message('stopping'))
    const again = setInterval(() => run.child.kill('SIGTERM'), 100)
    expect(await run.ended()).toBe(130)
    clearInterval(again)
    expect(isRunning(processId)).toBe(false)
  })
})
