// An operator's day on a small app, second half: dead letters, redrive, replay, breakers, and the audit of it all. The
// tests build on each other, as a day does.
import type {
  AuditRow,
  BreakerState,
  DeadLetter,
  DeadLetterGroup,
  Page,
  Redrive,
  RedrivePreview,
  Replay,
} from 'eventspine'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Day, eventually, order } from './day.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let day: Day

// Twelve orders while the bank is away, and two with stolen cards: `bill` gives up fourteen.
beforeAll(async () => {
  day = await Day.begin()
  day.setBank('down')
  await day.worker()
  const lines = Array.from({ length: 14 }, (_, index) => ({
    type: 'shop.order-placed',
    id: `order-${index}`,
    data: { order: `o-${index}`, amount: 1, ...(index >= 12 && { card: 'stolen' }) },
  }))
  const text = lines.map((line) => JSON.stringify(line)).join('\n')
  await day.answered('publish', '--file', day.file('orders.ndjson', text))
  const dead = () => day.database.rows('SELECT FROM eventspine.dead_letter')
  await eventually(dead, (rows) => rows.length === 14)
})

afterAll(() => day.end())

const stolen = ['dead', 'list', '--category', 'permanent']

describe('dead letters', () => {
  it('are listed, filtered and counted by fault', async () => {
    const { items } = await day.answered<Page<DeadLetter>>(...stolen, '--error', 'CARD of', '--since', '1h')
    expect(items.map(({ event }) => event.id).sort()).toEqual(['order-12', 'order-13'])
    const groups = ['dead', 'list', '--groups', '--category', 'transient']
    expect(await day.answered<{ groups: DeadLetterGroup[] }>(...groups)).toMatchObject({
      groups: [{ subscription: 'bill', category: 'transient', count: 12, message: 'The bank is away' }],
    })
    const misspelt = ['dead', 'list', '--category', 'transint']
    expect(await day.refused(2, ...misspelt)).toMatchObject({ field: '--category' })
  })

  it('are shown with error, stack and what to do, without control characters', async () => {
    const [{ id } = { id: '' }] = (await day.answered<Page<DeadLetter>>(...stolen)).items
    const { output } = await day.command(['dead', 'show', id])
    expect(output).toContain('The card of o-1')
    expect(output).toMatch(/at .*shop\.ts:\d+/)
    expect(output).toContain(`eventspine redrive '${id}' --edit data.json`)
    expect([...output].filter((sign) => sign !== '\n' && /\p{Cc}/u.test(sign))).toEqual([])
    expect(await day.answered('dead', 'show', id)).toMatchObject({ id, attempts: 1, state: 'dead' })
    expect(await day.refused(3, 'dead', 'show', 'bill/1.999999')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are discarded with a reason and a yes', async () => {
    const [{ id } = { id: '' }] = (await day.answered<Page<DeadLetter>>(...stolen)).items
    const refused = (...parameters: string[]) => day.refused(2, 'dead', 'discard', ...parameters)
    expect(await refused('--reason', 'x', '--yes')).toMatchObject({ field: '--all' })
    expect(await refused(id, '--yes')).toMatchObject({ code: 'REASON_NEEDED', field: '--reason' })
    expect(await refused(id, '--reason', 'x')).toMatchObject({ code: 'CONFIRMATION_NEEDED', field: '--yes' })
    const discard = ['dead', 'discard', id, '--reason', 'a test', '--yes']
    expect(await day.answered(...discard)).toEqual({ discarded: 1 })
    expect(await day.answered(...discard)).toEqual({ discarded: 0 })
    const { items } = await day.answered<Page<DeadLetter>>('dead', 'list', '--state', 'discarded')
    expect(items).toMatchObject([{ id, reason: 'a test' }])
  })
})

const transient = ['redrive', '--category', 'transient']

describe('redrive', () => {
  it('previews, and asks', async () => {
    const preview = await day.answered<RedrivePreview>(...transient, '--preview')
    expect(preview).toMatchObject({ selected: 12, guarded: 0, groups: [{ count: 12 }] })
    expect((await day.command([...transient, '--dry-run'])).output).toContain('12 dead letters to send.')
    expect(await day.refused(2, 'redrive')).toMatchObject({ field: '--all' })
    expect(await day.refused(2, ...transient)).toMatchObject({ code: 'CONFIRMATION_NEEDED', field: '--yes' })
    expect(await day.database.rows('SELECT FROM eventspine.redrive')).toEqual([])
  })

  it('stops when they fail again, and exits with 1', async () => {
    const { code, document } = await day.command([...transient, '--canary', '2', '--yes', '--json'])
    expect(document()).toMatchObject({ state: 'stopped', selected: 12, failed: 2 })
    expect(code).toBe(1)
  })

  it('brings them home when the bank is back', async () => {
    day.setBank('up')
    const limits = ['--rate', '500', '--stop-at-error-rate', '0.1', '--reason', 'the bank is back']
    const redrive = await day.answered<Redrive>(...transient, ...limits, '--yes')
    expect(redrive).toMatchObject({
      state: 'completed',
      selected: 12,
      succeeded: 12,
      failed: 0,
      stopAtErrorRate: 0.1,
      reason: 'the bank is back',
    })
    const listed = await day.answered<Page<Redrive>>('redrive', 'list')
    expect(listed.items.map(({ id }) => id)[0]).toBe(redrive.id)
    expect((await day.command(['redrive', 'show', redrive.id])).output).toContain('12 dead letters home')
    expect(await day.answered('redrive', 'stop', redrive.id)).toMatchObject({ state: 'completed' })
    expect(await day.refused(3, 'redrive', 'show', 'nothing')).toMatchObject({ code: 'NOT_FOUND' })
    expect(await day.answered(...transient, '--yes')).toMatchObject({ selected: 0 })
  })

  it('sends one with mended data', async () => {
    const [{ id } = { id: '' }] = (await day.answered<Page<DeadLetter>>(...stolen)).items
    const wrong = day.file('mended.json', '{"order":"mended","amount":"?"}')
    expect(await day.refused(2, 'redrive', id, '--edit', wrong, '--yes')).toMatchObject({
      code: 'EVENT_INVALID',
      field: '/data/amount',
    })
    const mended = ['redrive', id, '--edit', '{"order":"mended","amount":3}', '--yes']
    expect(await day.answered(...mended)).toMatchObject({ state: 'completed', succeeded: 1 })
    expect(await day.refused(3, 'redrive', id, '--yes')).toMatchObject({ code: 'NOTHING_TO_SEND' })
    const text = `SELECT id FROM eventspine.event WHERE type = 'shop.order-billed' AND key = 'mended'`
    const [billed] = await day.database.rows<{ id: string }>(text)
    const { output } = await day.command(['events', 'show', billed?.id ?? ''])
    expect(output).toMatch(/^ {2}shop\.order-placed {2}.*\n {2}└─ shop\.order-billed .* ◂$/m)
  })
})

describe('a redrive that takes long', () => {
  it('goes on when Ctrl-C ends the waiting, until it is stopped', async () => {
    for (const id of ['slow-1', 'slow-2', 'slow-3']) {
      await day.answered(...order({ order: id, amount: 1, card: 'stolen' }, '--id', id))
    }
    const dead = () =>
      day.database.rows(
        `SELECT FROM eventspine.dead_letter WHERE event_type = 'shop.order-placed' AND state = 'dead'`,
      )
    await eventually(dead, (rows) => rows.length === 3)
    const run = day.start(
      'redrive',
      '--category',
      'permanent',
      '--rate',
      '0.01',
      '--canary',
      '0',
      '--yes',
      '--json',
    )
    const read = () =>
      day.database.rows<{ id: string }>(`SELECT id FROM eventspine.redrive WHERE state = 'running'`)
    const [{ id } = { id: '' }] = await eventually(read, (rows) => rows.length === 1)
    run.child.kill('SIGINT')
    expect(await run.ended()).toBe(130)
    expect(JSON.parse(run.errors)).toMatchObject({ code: 'INTERRUPTED' })
    expect(run.errors).toContain(`eventspine redrive show ${id}`)
    const stop = ['redrive', 'stop', id, '--reason', 'enough']
    expect(await day.answered(...stop)).toMatchObject({ state: 'stopped', note: 'enough' })
    await day.answered('dead', 'discard', '--category', 'permanent', '--reason', 'a test', '--yes')
  })
})

describe('replay', () => {
  it('delivers history again to one subscription', async () => {
    const events = (await day.database.rows('SELECT FROM eventspine.event')).length
    const asked = ['replay', 'count-orders', '--from', 'beginning']
    expect(await day.answered(...asked, '--preview')).toMatchObject({ events, beyond: 0 })
    expect((await day.command([...asked, '--preview'])).output).toContain(`${events} events to deliver.`)
    const replay = await day.answered<Replay>(...asked)
    expect(replay).toMatchObject({ state: 'completed', completed: events, progress: 1 })
    const listed = await day.answered<Page<Replay>>('replay', 'list')
    expect(listed.items).toMatchObject([{ id: replay.id }])
    expect((await day.command(['replay', 'show', replay.id])).output).toContain('(100 % passed)')
    expect(await day.answered('replay', 'stop', replay.id)).toMatchObject({ state: 'completed' })
  })

  it('refuses handlers that call the world, unknown names and a missing start', async () => {
    expect(await day.refused(2, 'replay', 'bill', '--from', 'beginning')).toMatchObject({
      code: 'REPLAY_REFUSED',
      field: '--external',
      message: expect.stringMatching(/--external/),
    })
    expect(await day.refused(3, 'replay', 'bil', '--from', '1h')).toMatchObject({
      code: 'SUBSCRIPTION_UNKNOWN',
      message: expect.stringMatching(/Did you mean "bill"\?/),
    })
    expect(await day.refused(2, 'replay', 'bill')).toMatchObject({ field: '--from' })
    expect(await day.refused(3, 'replay', 'show', 'nothing')).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('has dead letters of its own, which are named beside those of the subscription', async () => {
    const tables = async () => [
      (await day.command(['subscriptions'])).output,
      (await day.command(['doctor'])).output,
    ]
    for (const output of await tables()) expect(output).not.toContain('OF REPLAYS')
    await day.answered('replay', 'bill', '--from', 'beginning', '--external')
    const dead = () =>
      day.database.rows(`SELECT FROM eventspine.dead_letter WHERE state = 'dead' AND replay <> ''`)
    const letters = (await eventually(dead, (rows) => rows.length > 0)).length
    const [listed, judged] = await tables()
    expect(listed).toMatch(/ DEAD +OF REPLAYS +WORKERS$/m)
    expect(listed).toMatch(new RegExp(`^bill .* \\d+ +${letters} +\\d+$`, 'm'))
    expect(judged).toMatch(new RegExp(`bill .* \\+ \\d+ +${letters}$`, 'm'))
    await day.answered('dead', 'discard', '--category', 'permanent', '--reason', 'a test', '--yes')
  })
})

describe('breakers and audit', () => {
  it('opens and closes a breaker by hand', async () => {
    type Breakers = { readonly breakers: readonly BreakerState[] }
    const opened = await day.answered<Breakers>('breakers', 'open', 'bank')
    expect(opened.breakers).toMatchObject([{ name: 'bank', state: 'open' }])
    expect((await day.command(['breakers'])).output).toMatch(/^bank +all +open/m)
    const closed = await day.answered<Breakers>('breakers', 'close', 'bank')
    expect(closed.breakers).toMatchObject([{ name: 'bank', state: 'closed' }])
    expect(await day.refused(3, 'breakers', 'close', 'bnk')).toMatchObject({
      message: expect.stringMatching(/Did you mean "bank"\?/),
    })
  })

  it('has told who did what', async () => {
    await day.answered('subscriptions', 'pause', 'bill', '--actor', 'the night shift')
    const { items } = await day.answered<Page<AuditRow>>('audit')
    expect(items[0]).toMatchObject({
      action: 'subscription.pause',
      target: 'bill',
      actor: 'the night shift',
    })
    const actions = ['breaker.close', 'replay.create', 'redrive.create', 'dead-letters.discard']
    for (const action of actions) expect(items.map((item) => item.action)).toContain(action)
    expect(items.slice(1).every(({ actor }) => actor.endsWith('(command line)'))).toBe(true)
    await day.answered('subscriptions', 'resume', 'bill')
  })
})

describe('with a worker that leaves the subscription alone', () => {
  it('a redrive is not waited for without end', async () => {
    await day.answered(...order({ order: 'alone', amount: 1, card: 'stolen' }, '--id', 'alone'))
    const dead = () =>
      day.database.rows(`SELECT FROM eventspine.dead_letter WHERE state = 'dead' AND key = 'alone'`)
    await eventually(dead, (rows) => rows.length === 1)
    await day.answered('subscriptions', 'pause', 'bill')
    expect(await day.refused(1, 'redrive', '--category', 'permanent', '--yes')).toMatchObject({
      code: 'NO_WORKER',
      message: expect.stringMatching(/^No worker runs bill, so it stands still\..*redrive show/),
    })
    await day.answered('subscriptions', 'resume', 'bill')
  })
})

describe('without a worker', () => {
  it('a redrive is recorded, and begins when there is one', async () => {
    const worker = await day.worker()
    await day.answered(...order({ order: 'late', amount: 1, card: 'stolen' }, '--id', 'late'))
    const read = () =>
      day.database.rows<{ seq: number }>(
        `SELECT seq FROM eventspine.dead_letter WHERE state = 'dead' AND key = 'late'`,
      )
    const [letter] = await eventually(read, (rows) => rows.length === 1)
    worker.child.kill('SIGTERM')
    await worker.ended()
    const { code, output } = await day.command(['redrive', `bill/1.${letter?.seq}`, '--yes'])
    expect(output).toContain('No worker is running: it begins when one starts.')
    expect(code).toBe(0)
    const [redrive] = await day.database.rows('SELECT state FROM eventspine.redrive ORDER BY created_at DESC')
    expect(redrive).toEqual({ state: 'canary' })
  })
})
