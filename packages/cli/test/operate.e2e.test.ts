// An operator's day on a small app, first half: tables, publishing, a worker, events, and what each command answers.
// The tests build on each other, as a day does.
import type {
  AuditRow,
  DoctorReport,
  EventDetails,
  EventView,
  Page,
  Published,
  SubscriptionView,
  WorkerRow,
} from 'eventspine'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { isRunning } from './command.js'
import { Day, eventually, order } from './day.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let day: Day

beforeAll(async () => {
  day = await Day.begin()
})

afterAll(() => day.end())

const eventCount = async () => (await day.database.rows('SELECT FROM eventspine.event')).length

describe('an empty database', () => {
  it('is refused by all but migrate', async () => {
    const failure = await day.refused(1, 'doctor')
    expect(failure).toMatchObject({
      code: 'SCHEMA_OUTDATED',
      message: expect.stringMatching(/eventspine migrate/),
    })
  })

  it('gets its tables from migrate, once, in the schema that is named', async () => {
    const { cells, applied } = await day.answered<{ cells: string[]; applied: object[] }>('migrate')
    expect(cells).toEqual(['main'])
    const migrations = [
      ...['0001_log_and_delivery', '0002_workflows', '0003_awaited_events', '0004_schedules'],
      '0005_terminated_workflows',
      '0006_ordering_keys',
      '0007_definitions_in_force',
      '0008_contracts',
      '0009_imports',
      '0010_source_leases',
      '0011_personal_keys',
      '0012_table_sources',
      '0013_breakers_of_keys',
      '0014_webhook_endpoints',
      '0015_source_items',
      '0016_what_the_console_asks',
      '0017_access',
      '0018_personal_masters',
      '0019_known_records',
      '0020_open_approvals',
      '0021_active_keys',
      '0022_publisher',
    ]
    expect(applied).toMatchObject([{ cell: 'main', migrations }])
    expect(await day.answered('migrate')).toEqual({ cells: ['main'], applied: [] })
    await day.answered('migrate', '--schema', 'other')
    const text = `SELECT nspname AS name FROM pg_namespace WHERE nspname IN ('eventspine', 'other') ORDER BY 1`
    expect(await day.database.rows(text)).toEqual([{ name: 'eventspine' }, { name: 'other' }])
  })

  it('knows no workflow of that name', async () => {
    const failure = await day.refused(3, 'workflows', 'show', 'check-out', '1')
    expect(failure).toMatchObject({ code: 'WORKFLOW_UNKNOWN' })
    expect(await day.answered('workflows', 'list')).toEqual({ items: [], cursor: null })
  })

  it('has nothing to show, and says so', async () => {
    expect(await day.answered('workers')).toEqual({ workers: [] })
    expect((await day.command(['dead', 'list'])).output).toBe('✓ No dead letter fits.\n')
  })
})

describe('publish', () => {
  it('stores an event from a flag, a file or standard input, and delivers nothing', async () => {
    const identity = ['--id', 'one', '--tenant', 'acme']
    const first = await day.answered<Published>(...order({ order: 'a-1', amount: 1 }, ...identity))
    expect(first).toEqual({
      id: 'one',
      type: 'shop.order-placed',
      version: 1,
      tenant: 'acme',
      source: '/shop',
    })
    const file = day.file('order.json', '{"order":"a-2","amount":2}')
    await day.answered('publish', 'shop.order-placed', '--data', `@${file}`, '--id', 'two')
    const third = await day.command(
      ['publish', 'shop.order-placed', '--data', '-', '--id', 'three'],
      '{"order":"a-3","amount":3}',
    )
    expect(third.output).toContain('✓ Published shop.order-placed version 1')
    const stored = await day.database.rows('SELECT id, key FROM eventspine.event ORDER BY seq')
    expect(stored).toEqual([
      { id: 'one', key: 'a-1' },
      { id: 'two', key: 'a-2' },
      { id: 'three', key: 'a-3' },
    ])
    expect(await day.database.rows('SELECT name FROM eventspine.subscription')).toEqual([])
  })

  it('answers a repeat the same, and refuses another body under its id', async () => {
    const identity = ['--id', 'one', '--tenant', 'acme']
    const again = await day.answered<Published>(...order({ order: 'a-1', amount: 1 }, ...identity))
    expect(again.id).toBe('one')
    expect(await eventCount()).toBe(3)
    const failure = await day.refused(2, ...order({ order: 'a-1', amount: 5 }, ...identity))
    expect(failure).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', field: '/id' })
  })

  const wrong = [
    [['shop.order-placd', '--data', '{}'], 'EVENT_UNKNOWN', '/type', /Did you mean "shop.order-placed"\?/],
    [
      ['shop.order-placed', '--data', '{"order":"a","amount":"much"}'],
      'EVENT_INVALID',
      '/data/amount',
      /expected number/,
    ],
    [['shop.order-placed', '--data', '{"order":'], 'JSON_INVALID', '--data', /^--data: The JSON/],
    [['shop.order-placed', '--data', '{"__proto__":1}'], 'JSON_PROTO', '--data', /rename it/],
    [['shop.order-placed', '--data', '@no-such.json'], 'FILE_UNREADABLE', '--data', /no such file/],
    [['shop.order-placed', '--data', '@/'], 'FILE_UNREADABLE', '--data', /not a file/],
    [['shop.order-placed'], 'REQUEST_INVALID', '--data', /Give --data/],
    [['--data', '{}'], 'REQUEST_INVALID', 'type', /Name the type/],
    [
      ['shop.order-placed', '--version', '7', '--data', '{"order":"a","amount":1}'],
      'EVENT_UNKNOWN',
      '/version',
      /Defined: 1/,
    ],
  ] as const

  it.each(wrong)('refuses %j', async (parameters, code, field, message) => {
    expect(await day.refused(2, 'publish', ...parameters)).toMatchObject({
      code,
      field,
      message: expect.stringMatching(message),
    })
    expect(await eventCount()).toBe(3)
  })

  it('checks all of a file before it sends the first', async () => {
    const good = Array.from({ length: 20 }, (_, index) => ({
      type: 'shop.order-placed',
      id: `f-${index}`,
      data: { order: `f-${index}`, amount: 1 },
    }))
    const write = (lines: readonly object[]) =>
      day.file('orders.ndjson', lines.map((line) => JSON.stringify(line)).join('\n\n'))
    const wrongData = write([...good, { type: 'shop.order-placed', data: { order: 'x', amount: 0 } }])
    expect(await day.refused(2, 'publish', '--file', wrongData)).toMatchObject({
      code: 'EVENT_INVALID',
      field: 'line 41',
      message: expect.stringMatching(/^Line 41: \/data\/amount: /),
    })
    const wrongField = write([...good, { type: 'shop.order-placed', dat: {} }])
    expect(await day.refused(2, 'publish', '--file', wrongField)).toMatchObject({
      message: expect.stringMatching(/^Line 41: "dat" is no field.*"data"/),
    })
    expect(await eventCount()).toBe(3)
    expect(await day.answered('publish', '--file', write(good))).toEqual({ published: 20 })
    expect(await eventCount()).toBe(23)
    const conflict = write([...good.slice(1), { ...good[0], data: { order: 'f-0', amount: 2 } }])
    expect(await day.refused(2, 'publish', '--file', conflict)).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      field: 'line 39',
      message: expect.stringMatching(/Nothing was published\.$/),
    })
  })
})

describe('a worker', () => {
  it('says when it is ready, and is listed', async () => {
    day.setBank('down')
    const worker = await day.worker()
    expect(worker.records[0]).toMatchObject({
      level: 'info',
      message: 'ready',
      subscriptions: ['bill', 'count-orders'],
      processId: worker.child.pid,
    })
    const { workers } = await day.answered<{ workers: WorkerRow[] }>('workers')
    expect(workers).toMatchObject([{ processId: worker.child.pid }])
    const dead = () => day.database.rows('SELECT FROM eventspine.dead_letter')
    await eventually(dead, (rows) => rows.length === 23)
  })

  it('is seen by subscriptions and by doctor, whose books balance', async () => {
    type Subscriptions = { readonly subscriptions: readonly SubscriptionView[] }
    const { subscriptions } = await day.answered<Subscriptions>('subscriptions')
    expect(subscriptions).toMatchObject([
      { name: 'bill', state: 'active', matched: 23, dead: 23 },
      { name: 'count-orders', completed: 23, lagEvents: 0 },
    ])
    const doctor = await day.command(['doctor', '--json'])
    const report = doctor.document<DoctorReport>()
    expect(report.subscriptions).toMatchObject([
      { name: 'bill', matched: 23, completed: 0, retrying: 0, dead: 23, skipped: 0, balanced: true },
      { name: 'count-orders', matched: 23, completed: 23, retrying: 0, dead: 0, skipped: 0, balanced: true },
    ])
    // A test server runs without fsync, which is an error: the exit code says what the findings say.
    expect(doctor.code).toBe(report.findings.some(({ severity }) => severity === 'error') ? 1 : 0)
    const { output } = await day.command(['doctor'])
    expect(output).toMatch(/^✓ {2}bill +23 += 0 +\+ 0 +\+ 23 +\+ 0$/m)
    expect(output).toContain('eventspine dead list --subscription bill')
  })

  it('lets a subscription be paused and resumed', async () => {
    const pause = ['subscriptions', 'pause', 'count-orders']
    expect(await day.answered(...pause)).toEqual({ name: 'count-orders', state: 'paused' })
    expect((await day.command(['subscriptions', 'list'])).output).toMatch(/^count-orders .* paused /m)
    const resume = ['subscriptions', 'resume', 'count-orders']
    expect(await day.answered(...resume)).toEqual({ name: 'count-orders', state: 'active' })
  })

  const naming = [
    ['subscriptions', 'pause', 'count-order'],
    ['subscriptions', 'remove', 'count-order', '--yes'],
    ['replay', 'count-order', '--from', 'beginning'],
    ['dead', 'list', '--subscription', 'count-order'],
    ['dead', 'list', '--groups', '--subscription', 'count-order'],
    ['dead', 'discard', '--subscription', 'count-order', '--reason', 'x', '--yes'],
    ['redrive', '--subscription', 'count-order', '--yes'],
    ['redrive', '--subscription', 'count-order', '--preview'],
  ]

  it.each(naming)('is asked for by name: %s %s %s', async (...parameters) => {
    expect(await day.refused(3, ...parameters)).toMatchObject({
      code: 'SUBSCRIPTION_UNKNOWN',
      message: 'There is no subscription "count-order". Did you mean "count-orders"?',
    })
  })

  it('knows one that is gone from the code by what the database has of it', async () => {
    const named = ['dead', 'list', '--subscription', 'faxes']
    await day.refused(3, ...named)
    await day.database.rows(`INSERT INTO eventspine.subscription (name, app, priority, shards, types, policies)
      VALUES ('faxes', 'shop', 'normal', 1, '{}', '{}')`)
    expect(await day.answered(...named)).toMatchObject({ items: [] })
    const remove = ['subscriptions', 'remove', 'faxes', '--yes']
    const { findings } = (await day.command(['doctor', '--json'])).document<DoctorReport>()
    expect(findings).toContainEqual(
      expect.objectContaining({
        subject: 'subscription faxes',
        advice: expect.stringContaining(remove[2] ?? ''),
      }),
    )
    await day.database.rows(`UPDATE eventspine.dead_letter SET subscription = 'faxes'
      WHERE seq = (SELECT min(seq) FROM eventspine.dead_letter)`)
    expect(await day.answered(...remove)).toEqual({ name: 'faxes', state: 'removed' })
    expect(await day.answered(...named, '--state', 'any')).toMatchObject({ items: [{ state: 'discarded' }] })
    await day.database.rows(`UPDATE eventspine.dead_letter SET subscription = 'bill', state = 'dead', resolved_at = NULL
      WHERE subscription = 'faxes'`)
  })
})

describe('events', () => {
  it('are listed in pages, newest first, by type, key and time', async () => {
    const first = await day.answered<Page<EventView>>('events', 'list', '--limit', '20')
    expect(first.items).toHaveLength(20)
    const more = ['events', 'list', '--limit', '20', '--cursor', first.cursor ?? '']
    const second = await day.answered<Page<EventView>>(...more)
    expect(second.items.map(({ id }) => id)).toEqual(['three', 'two', 'one'])
    const filters = ['--type', 'shop.*', '--key', 'a-2', '--after', '1h']
    const found = await day.answered<Page<EventView>>('events', 'list', ...filters)
    expect(found.items).toMatchObject([{ id: 'two', data: { order: 'a-2', amount: 2 } }])
    expect(await day.refused(2, 'events', 'list', '--cursor', 'x')).toMatchObject({ field: '/cursor' })
  })

  it('are shown with deliveries and tree', async () => {
    const details = await day.answered<EventDetails>('events', 'show', 'two')
    expect(details).toMatchObject({
      event: { id: 'two' },
      deliveries: [
        { subscription: 'bill', state: 'dead', attempt: 2 },
        { subscription: 'count-orders', state: 'completed' },
      ],
      chain: { event: { id: 'two' }, children: [] },
    })
    const { output } = await day.command(['events', 'show', 'two'])
    expect(output).toMatch(/^ {2}bill +✗ dead +2 /m)
    expect(output).toContain('bill: transient: The bank is away')
    expect(await day.refused(3, 'events', 'show', 'four')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are followed as they come', async () => {
    const all = day.start('events', 'tail', '--json', '--beginning')
    await all.until(() => all.records.length === 23)
    const two = day.start('events', 'tail', '--limit', '2')
    // It begins with what comes, and does not say when it is there: something comes until it has seen two.
    let sent = 0
    while (two.running && sent < 30) {
      sent += 1
      await day.answered(...order({ order: `t-${sent}`, amount: 1 }))
    }
    expect(await two.ended()).toBe(0)
    expect(
      two.output.match(/^[\d:.]{12} shop\.order-placed t-\d+ .*\{"order":"t-\d+","amount":1\}$/gm),
    ).toHaveLength(2)
    await all.until(() => all.records.length === 23 + sent)
    all.child.kill('SIGINT')
    expect(await all.ended()).toBe(0)
  })

  it('say so when their data are gone from the store of large bodies', async () => {
    const data = { order: 'large', amount: 1, card: 'c'.repeat(200_000) }
    await day.answered(...order(data, '--id', 'large'))
    const whole = await day.answered<EventDetails>('events', 'show', 'large')
    expect(whole.event).toMatchObject({ data: { order: 'large' } })
    await day.database.rows('DELETE FROM eventspine.claim')
    const { event } = await day.answered<EventDetails>('events', 'show', 'large')
    expect(event).toMatchObject({ data: null, unreadable: { reason: expect.stringContaining('is gone') } })
    const { output } = await day.command(['events', 'show', 'large'])
    expect(output).toMatch(/could not be fetched from the object store: .* is gone/)
    expect(output).toContain(event.unreadable?.claim)
  })
})

describe('keys', () => {
  it('are made for a role, shown once, listed and withdrawn, with the audit', async () => {
    const made = ['keys', 'create', '--name', 'vic', '--role', 'viewer', '--reason', 'new here']
    const { key, id, scopes } = await day.answered<{ key: string; id: string; scopes: string[] }>(...made)
    expect(key).toMatch(/^es_/)
    expect(scopes).toEqual(['read'])
    const list = await day.command(['keys', '--json'])
    expect(list.output).toContain(id)
    expect(list.output).not.toContain(key.slice('es_0123456789abcdef_'.length))
    await day.answered('keys', 'withdraw', id, '--reason', 'left')
    expect((await day.command(['keys'])).output).toMatch(/withdrawn by .*: left/)
    expect(await day.refused(3, 'keys', 'withdraw', id, '--reason', 'again')).toMatchObject({
      code: 'NOT_FOUND',
    })
    const { items } = await day.answered<Page<AuditRow>>('audit', '--action', 'key.*')
    expect(items).toMatchObject([
      { action: 'key.withdraw', target: id, details: { reason: 'left' } },
      { action: 'key.create', target: id, details: { name: 'vic', reason: 'new here' } },
    ])
    expect(await day.refused(2, 'keys', 'create', '--name', 'x')).toMatchObject({ field: '--role' })
  })
})

describe('the end', () => {
  it('drains the worker at SIGTERM', async () => {
    const worker = await day.worker()
    worker.child.kill('SIGTERM')
    expect(await worker.ended()).toBe(0)
    expect(worker.records.at(-1)).toMatchObject({ message: 'stopped' })
    expect(isRunning(worker.child.pid)).toBe(false)
    const leases = await day.database.rows('SELECT FROM eventspine.consumer WHERE owner IS NOT NULL')
    expect(leases).toEqual([])
  })
})
