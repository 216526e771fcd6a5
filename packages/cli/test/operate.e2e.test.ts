// An operator's day on a small app: tables, events, dead letters, redrive, replay, breakers, and what each command
// answers. One database, one worker; the tests build on each other as a day does.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  AuditRow,
  BreakerState,
  DeadLetter,
  DeadLetterGroup,
  DoctorReport,
  EventDetails,
  EventView,
  Page,
  Published,
  Redrive,
  RedrivePreview,
  Replay,
  SubscriptionView,
  WorkerRow,
} from 'eventspine'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { eventspine, isRunning, type OwnDatabase, ownDatabase, type Result, Run, shop } from './command.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const folder = mkdtempSync(join(tmpdir(), 'eventspine-operate-'))
const down = join(folder, 'down')
let database: OwnDatabase
let worker: Run

const environment = () => ({ DATABASE_URL: database.url, SHOP_DOWN_FILE: down })
const es = (...parameters: string[]) =>
  eventspine([...parameters, '--app', shop], { environment: environment() })

async function answered<Document>(...parameters: string[]): Promise<Document> {
  const result = await es(...parameters, '--json')
  expect(result.errors).toBe('')
  return result.document<Document>()
}

async function refused(exitCode: number, ...parameters: string[]): Promise<ReturnType<Result['failure']>> {
  const result = await es(...parameters, '--json')
  expect(result.code, result.errors + result.output).toBe(exitCode)
  return result.failure()
}

const order = (data: object) => ['publish', 'shop.order-placed', '--data', JSON.stringify(data)]

/** Waits until `read` answers what `met` wants: the database is asked, with a bound. */
async function eventually<Value>(read: () => Promise<Value>, met: (value: Value) => boolean): Promise<Value> {
  for (let looks = 0; looks < 600; looks += 1) {
    const value = await read()
    if (met(value)) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('it did not come so far')
}

const deadRows = () =>
  database.rows<{ state: string }>(`SELECT state FROM eventspine.dead_letter ORDER BY seq`)

beforeAll(async () => {
  database = await ownDatabase()
})

afterAll(async () => {
  await worker?.kill()
  await database.drop()
  rmSync(folder, { recursive: true })
})

describe('an empty database', () => {
  it('is refused by all but migrate', async () => {
    expect(await refused(1, 'doctor')).toMatchObject({
      code: 'SCHEMA_OUTDATED',
      message: expect.stringContaining('eventspine migrate'),
    })
  })

  it('gets its tables from migrate, once, in the schema that is named', async () => {
    const { applied, cells } = await answered<{
      cells: string[]
      applied: { cell: string; migrations: string[] }[]
    }>('migrate')
    expect(cells).toEqual(['main'])
    expect(applied[0]?.migrations[0]).toMatch(/^0001_/)
    expect(await answered('migrate')).toEqual({ cells: ['main'], applied: [] })
    await answered('migrate', '--schema', 'other')
    const schemas = await database.rows(
      `SELECT nspname FROM pg_namespace WHERE nspname IN ('eventspine', 'other') ORDER BY 1`,
    )
    expect(schemas).toEqual([{ nspname: 'eventspine' }, { nspname: 'other' }])
  })

  it('has nothing to show, and says so', async () => {
    expect(await answered('workers')).toEqual({ workers: [] })
    expect((await es('events', 'list')).output).toBe('No event fits.\n')
    expect((await es('dead', 'list')).output).toBe('✓ No dead letter fits.\n')
  })
})

describe('publish', () => {
  it('stores an event from a flag, a file or standard input, and delivers nothing', async () => {
    const file = join(folder, 'order.json')
    writeFileSync(file, '{"order":"a-2","amount":2}')
    const first = await answered<Published>(
      ...order({ order: 'a-1', amount: 1 }),
      '--id',
      'one',
      '--tenant',
      'acme',
    )
    expect(first).toMatchObject({
      id: 'one',
      type: 'shop.order-placed',
      version: 1,
      tenant: 'acme',
      source: '/shop',
    })
    await answered('publish', 'shop.order-placed', '--data', `@${file}`, '--id', 'two')
    const parameters = ['publish', 'shop.order-placed', '--data', '-', '--id', 'three', '--app', shop]
    const third = await eventspine(parameters, {
      environment: environment(),
      input: '{"order":"a-3","amount":3}',
    })
    expect(third.output).toContain('✓ Published shop.order-placed version 1')
    expect(await database.rows('SELECT id FROM eventspine.event ORDER BY seq')).toEqual([
      { id: 'one' },
      { id: 'two' },
      { id: 'three' },
    ])
    expect(await database.rows('SELECT name FROM eventspine.subscription')).toEqual([])
  })

  it('answers a repeat the same, and refuses another body under its id', async () => {
    expect(
      await answered<Published>(...order({ order: 'a-1', amount: 1 }), '--id', 'one', '--tenant', 'acme'),
    ).toMatchObject({ id: 'one' })
    const failure = await refused(2, ...order({ order: 'a-1', amount: 5 }), '--id', 'one', '--tenant', 'acme')
    expect(failure).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', field: '/id' })
  })

  it('refuses what does not fit, naming the place', async () => {
    expect(await refused(2, 'publish', 'shop.order-placd', '--data', '{}')).toMatchObject({
      code: 'EVENT_UNKNOWN',
      message: expect.stringContaining('Did you mean "shop.order-placed"?'),
      field: '/type',
    })
    expect(await refused(2, ...order({ order: 'a-1', amount: 'much' }))).toMatchObject({
      code: 'EVENT_INVALID',
      field: '/data/amount',
    })
    expect(await refused(2, 'publish', 'shop.order-placed', '--data', '{"order":')).toMatchObject({
      code: 'JSON_INVALID',
      field: '--data',
    })
    expect(await refused(2, 'publish', 'shop.order-placed', '--data', '@no-such.json')).toMatchObject({
      code: 'FILE_UNREADABLE',
      field: '--data',
    })
    expect(await refused(2, 'publish', 'shop.order-placed')).toMatchObject({
      code: 'REQUEST_INVALID',
      field: '--data',
    })
    expect(await refused(2, ...order({ order: 'a', amount: 1 }), '--version', '7')).toMatchObject({
      code: 'EVENT_UNKNOWN',
      field: '/version',
    })
  })

  it('checks all of a file before it sends the first', async () => {
    const file = join(folder, 'orders.ndjson')
    const lines = Array.from({ length: 20 }, (_, index) => ({
      type: 'shop.order-placed',
      id: `f-${index}`,
      data: { order: `f-${index}`, amount: 1 },
    }))
    const write = (all: object[]) => writeFileSync(file, all.map((line) => JSON.stringify(line)).join('\n\n'))
    const count = async () => (await database.rows('SELECT FROM eventspine.event')).length
    const before = await count()
    write([...lines, { type: 'shop.order-placed', data: { order: 'x', amount: 0 } }])
    expect(await refused(2, 'publish', '--file', file)).toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringMatching(/^Line 41: \/data\/amount: /),
      field: 'line 41',
    })
    write([...lines, { type: 'shop.order-placed', dat: {} }])
    expect(await refused(2, 'publish', '--file', file)).toMatchObject({
      message: expect.stringMatching(/^Line 41: "dat" is no field.*"data"/),
    })
    expect(await count()).toBe(before)
    write(lines)
    expect(await answered('publish', '--file', file)).toEqual({ published: 20 })
    expect(await count()).toBe(before + 20)
  })
})

describe('a worker', () => {
  it('says when it is ready, and is listed', async () => {
    writeFileSync(down, '')
    worker = new Run(['worker', '--app', shop], { environment: environment() })
    const ready = await worker.record(({ message }) => message === 'ready')
    expect(ready).toMatchObject({
      level: 'info',
      subscriptions: ['bill', 'count-orders'],
      processId: worker.child.pid,
    })
    const { workers } = await answered<{ workers: WorkerRow[] }>('workers')
    expect(workers).toMatchObject([{ processId: worker.child.pid }])
    await eventually(deadRows, (rows) => rows.length === 23)
  })

  it('is seen by subscriptions and doctor, which balances', async () => {
    const { subscriptions } = await answered<{ subscriptions: SubscriptionView[] }>('subscriptions')
    expect(subscriptions).toMatchObject([
      { name: 'bill', state: 'active', matched: 23, dead: 23 },
      { name: 'count-orders', completed: 23 },
    ])
    const doctor = await es('doctor', '--json')
    const report = doctor.document<DoctorReport>()
    expect(
      report.subscriptions.map(({ name, matched, completed, retrying, dead, skipped, balanced }) => ({
        name,
        matched,
        completed,
        retrying,
        dead,
        skipped,
        balanced,
      })),
    ).toEqual([
      { name: 'bill', matched: 23, completed: 0, retrying: 0, dead: 23, skipped: 0, balanced: true },
      { name: 'count-orders', matched: 23, completed: 23, retrying: 0, dead: 0, skipped: 0, balanced: true },
    ])
    // The exit code says what the findings say: a test server may run without fsync.
    expect(doctor.code).toBe(report.findings.some(({ severity }) => severity === 'error') ? 1 : 0)
    const { output } = await es('doctor')
    expect(output).toMatch(/^✓ {2}bill +23 += 0 +\+ 0 +\+ 23 +\+ 0$/m)
    expect(output).toContain('eventspine dead list --subscription bill')
  })

  it('pauses and resumes', async () => {
    expect(await answered('subscriptions', 'pause', 'count-orders')).toEqual({
      name: 'count-orders',
      state: 'paused',
    })
    expect((await es('subscriptions')).output).toMatch(/^count-orders .* paused /m)
    expect(await answered('subscriptions', 'resume', 'count-orders')).toEqual({
      name: 'count-orders',
      state: 'active',
    })
    expect(await refused(3, 'subscriptions', 'pause', 'count-order')).toMatchObject({
      code: 'NOT_FOUND',
      message: 'There is no subscription "count-order". Did you mean "count-orders"?',
    })
  })
})

describe('events', () => {
  it('are listed in pages, newest first, by type, key and time', async () => {
    const first = await answered<Page<EventView>>('events', 'list', '--limit', '20')
    expect(first.items).toHaveLength(20)
    const second = await answered<Page<EventView>>(
      'events',
      'list',
      '--limit',
      '20',
      '--cursor',
      first.cursor ?? '',
    )
    expect(second.items.map(({ id }) => id)).toEqual(['three', 'two', 'one'])
    const keyed = await answered<Page<EventView>>(
      'events',
      'list',
      '--type',
      'shop.*',
      '--key',
      'a-2',
      '--after',
      '1h',
    )
    expect(keyed.items).toMatchObject([{ id: 'two', data: { order: 'a-2', amount: 2 } }])
    expect(await refused(2, 'events', 'list', '--cursor', 'x')).toMatchObject({ code: 'REQUEST_INVALID' })
  })

  it('are shown with deliveries and tree', async () => {
    const details = await answered<EventDetails>('events', 'show', 'two')
    expect(details).toMatchObject({ event: { id: 'two' }, chain: { event: { id: 'two' }, children: [] } })
    expect(details.deliveries.map(({ subscription, state }) => [subscription, state])).toEqual([
      ['bill', 'dead'],
      ['count-orders', 'completed'],
    ])
    expect(await refused(3, 'events', 'show', 'four')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are followed as they come', async () => {
    const tail = new Run(['events', 'tail', '--app', shop, '--json', '--limit', '2'], {
      environment: environment(),
    })
    // It reads from the moment that it began; whatever comes later is shown.
    const all = new Run(['events', 'tail', '--app', shop, '--json', '--beginning'], {
      environment: environment(),
    })
    await all.until(() => all.records.length === 23)
    let sent = 0
    while (tail.running && sent < 30) {
      sent += 1
      await answered(...order({ order: `t-${sent}`, amount: 1, card: 'stolen' }))
    }
    expect(await tail.ended()).toBe(0)
    expect(tail.records).toHaveLength(2)
    expect(tail.records[0]).toMatchObject({ type: 'shop.order-placed', key: expect.stringMatching(/^t-/) })
    await all.until(() => all.records.length === 23 + sent)
    all.child.kill('SIGINT')
    expect(await all.ended()).toBe(0)
  })
})

describe('dead letters', () => {
  const permanent = async () =>
    (await answered<Page<DeadLetter>>('dead', 'list', '--category', 'permanent')).items

  it('are listed, counted by fault and filtered', async () => {
    const { groups } = await answered<{ groups: DeadLetterGroup[] }>(
      'dead',
      'list',
      '--groups',
      '--category',
      'transient',
    )
    expect(groups).toMatchObject([
      { subscription: 'bill', category: 'transient', count: 23, message: 'The bank is away' },
    ])
    expect(
      (
        await answered<Page<DeadLetter>>(
          'dead',
          'list',
          '--error',
          'BANK is',
          '--limit',
          '2',
          '--since',
          '1h',
        )
      ).items,
    ).toHaveLength(2)
    expect(await refused(2, 'dead', 'list', '--category', 'transint')).toMatchObject({ field: '--category' })
  })

  it('are shown with error, stack and what to do, without control characters', async () => {
    const [letter] = await permanent()
    const { output } = await es('dead', 'show', letter?.id ?? '')
    expect(output).toContain('The card of t-')
    expect(output).toMatch(/at .*shop\.ts:\d+/)
    expect(output).toContain(`eventspine redrive '${letter?.id}' --edit data.json`)
    expect([...output].filter((sign) => sign !== '\n' && /\p{Cc}/u.test(sign))).toEqual([])
    expect(await refused(3, 'dead', 'show', 'bill/1.999999')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are discarded with a reason, and a yes', async () => {
    const [letter] = await permanent()
    const id = letter?.id ?? ''
    expect(await refused(2, 'dead', 'discard', '--reason', 'x', '--yes')).toMatchObject({ field: '--all' })
    expect(await refused(2, 'dead', 'discard', id, '--yes')).toMatchObject({
      code: 'REASON_NEEDED',
      field: '--reason',
    })
    expect(await refused(2, 'dead', 'discard', id, '--reason', 'a test')).toMatchObject({
      code: 'CONFIRMATION_NEEDED',
      field: '--yes',
    })
    expect(await answered('dead', 'discard', id, '--reason', 'a test', '--yes')).toEqual({ discarded: 1 })
    expect((await answered<Page<DeadLetter>>('dead', 'list', '--state', 'discarded')).items).toMatchObject([
      { id, reason: 'a test' },
    ])
  })
})

describe('redrive', () => {
  it('previews, and asks', async () => {
    const preview = await answered<RedrivePreview>('redrive', '--category', 'transient', '--preview')
    expect(preview).toMatchObject({ selected: 23, guarded: 0 })
    expect(await refused(2, 'redrive')).toMatchObject({ field: '--all' })
    expect(await refused(2, 'redrive', '--category', 'transient')).toMatchObject({
      code: 'CONFIRMATION_NEEDED',
      field: '--yes',
    })
    expect(await answered('redrive', 'list')).toEqual({ items: [], cursor: null })
  })

  it('stops when they fail again, and exits with 1', async () => {
    const result = await es('redrive', '--category', 'transient', '--canary', '2', '--yes', '--json')
    expect(result.document<Redrive>()).toMatchObject({ state: 'stopped', failed: 2 })
    expect(result.code).toBe(1)
  })

  it('brings them home when the downstream is back', async () => {
    rmSync(down)
    const redrive = await answered<Redrive>(
      'redrive',
      '--category',
      'transient',
      '--rate',
      '500',
      '--yes',
      '--reason',
      'the bank is back',
    )
    expect(redrive).toMatchObject({
      state: 'completed',
      selected: 23,
      succeeded: 23,
      failed: 0,
      reason: 'the bank is back',
    })
    expect((await answered<Page<Redrive>>('redrive', 'list')).items).toHaveLength(2)
    expect(await answered<Redrive>('redrive', 'show', redrive.id)).toMatchObject({ id: redrive.id })
    expect(await answered<Redrive>('redrive', 'stop', redrive.id)).toMatchObject({ state: 'completed' })
    expect(await refused(3, 'redrive', 'show', 'nothing')).toMatchObject({ code: 'NOT_FOUND' })
    const again = await answered<RedrivePreview>('redrive', '--category', 'transient', '--yes')
    expect(again.selected).toBe(0)
  })

  it('sends one with mended data', async () => {
    const [letter] = (await answered<Page<DeadLetter>>('dead', 'list', '--limit', '1')).items
    const id = letter?.id ?? ''
    const file = join(folder, 'mended.json')
    writeFileSync(file, '{"order":"mended","amount":"?"}')
    expect(await refused(2, 'redrive', id, '--edit', file, '--yes')).toMatchObject({
      code: 'EVENT_INVALID',
      field: '/data/amount',
    })
    expect(
      await answered<Redrive>('redrive', id, '--edit', '{"order":"mended","amount":3}', '--yes'),
    ).toMatchObject({ state: 'completed', succeeded: 1 })
    expect(await refused(3, 'redrive', id, '--yes')).toMatchObject({ code: 'NOTHING_TO_SEND' })
    const { items } = await answered<Page<EventView>>(
      'events',
      'list',
      '--type',
      'shop.order-billed',
      '--key',
      'mended',
    )
    const { output } = await es('events', 'show', items[0]?.id ?? '')
    expect(output).toMatch(/^ {2}shop\.order-placed {2}.*\n {2}└─ shop\.order-billed .* ◂$/m)
  })
})

describe('replay', () => {
  it('delivers history again to one subscription', async () => {
    const [{ events } = { events: 0 }] = await database.rows<{ events: number }>(
      'SELECT count(*)::int AS events FROM eventspine.event',
    )
    const replay = await answered<Replay>('replay', 'count-orders', '--from', 'beginning')
    expect(replay).toMatchObject({
      subscription: 'count-orders',
      state: 'completed',
      completed: events,
      progress: 1,
    })
    expect((await answered<Page<Replay>>('replay', 'list')).items).toMatchObject([{ id: replay.id }])
    expect((await es('replay', 'show', replay.id)).output).toContain('(100 % passed)')
    expect(await answered<Replay>('replay', 'stop', replay.id)).toMatchObject({ state: 'completed' })
  })

  it('refuses handlers that call the world, unknown names and a missing start', async () => {
    expect(await refused(2, 'replay', 'bill', '--from', 'beginning')).toMatchObject({
      code: 'REPLAY_REFUSED',
      field: '--external',
      message: expect.stringContaining('--external'),
    })
    expect(await refused(3, 'replay', 'bil', '--from', '1h')).toMatchObject({
      message: expect.stringContaining('Did you mean "bill"?'),
    })
    expect(await refused(2, 'replay', 'bill')).toMatchObject({ field: '--from' })
    expect(await refused(3, 'replay', 'show', 'nothing')).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('breakers and audit', () => {
  it('opens and closes a breaker by hand', async () => {
    const { breakers } = await answered<{ breakers: BreakerState[] }>('breakers', 'open', 'bank')
    expect(breakers).toMatchObject([{ name: 'bank', state: 'open' }])
    expect((await es('breakers')).output).toMatch(/^bank +all +open/m)
    expect(await answered<{ breakers: BreakerState[] }>('breakers', 'close', 'bank')).toMatchObject({
      breakers: [{ state: 'closed' }],
    })
    expect(await refused(3, 'breakers', 'close', 'bnk')).toMatchObject({
      message: expect.stringContaining('Did you mean "bank"?'),
    })
  })

  it('has told who did what', async () => {
    await answered('subscriptions', 'pause', 'bill', '--actor', 'the night shift')
    const { items } = await answered<Page<AuditRow>>('audit')
    expect(items[0]).toMatchObject({ action: 'subscription.pause', target: 'bill', actor: 'the night shift' })
    expect(items.slice(1).every(({ actor }) => actor.endsWith('(command line)'))).toBe(true)
    await answered('subscriptions', 'resume', 'bill')
  })
})

describe('the end', () => {
  it('drains the worker at SIGTERM', async () => {
    worker.child.kill('SIGTERM')
    expect(await worker.ended()).toBe(0)
    expect(worker.records.at(-1)).toMatchObject({ message: 'stopped' })
    expect(isRunning(worker.child.pid)).toBe(false)
    expect(await answered('workers')).toEqual({ workers: [] })
  })

  it('leaves a redrive to the next worker when there is none', async () => {
    const { items } = await answered<Page<DeadLetter>>('dead', 'list', '--limit', '1')
    const id = items[0]?.id
    if (id === undefined) return
    const { code, output } = await es('redrive', id, '--yes')
    expect(output).toContain('No worker is running: it begins when one starts.')
    expect(code).toBe(0)
  })
})
