// Redrive on any store: chosen once, sent a few first and then at a rate, ended with the delivery.
import { describe, expect, it } from 'vitest'
import type { ConsumerName, Lease, OpenDelivery } from '../../deliver/port.js'
import type { StoredEvent } from '../../event/stored.js'
import type { RedrivePort } from '../../redrive/port.js'
import { idsOf, keysOf, type OpenScene, placeOf, type Scene } from './scene.js'
import { opened } from './traces.js'

export function describeRedrive(open: OpenScene): void {
  describe('redrive', () => {
    describeChoice(open)
    describeRounds(open)
    describeCanary(open)
    describePace(open)
    describeStop(open)
    describeEdit(open)
    describeDiscard(open)
    describeHalts(open)
    describeLastDeath(open)
  })
}

type Request = Parameters<RedrivePort['createRedrive']>[1]
type Row = ConsumerName & OpenDelivery

/** All of `ship`, at once, whatever fails. */
export function redriveRequest(parts: Partial<Request> = {}): Request {
  const pace = { rate: 1_000, canary: 0, stopAtErrorRate: 1, roundsMax: 3 }
  return { filter: { subscription: 'ship' }, ...pace, actor: 'ann', editedData: null, ...parts }
}

async function begun(open: OpenScene, count: number) {
  const scene = await open()
  await scene.subscribe()
  return { scene, ...(await scene.died(await scene.leased(), count)) }
}

/** Advances redrives until `count` rows were given out. */
export async function sent(scene: Scene, lease: Lease, count: number): Promise<Row[]> {
  const rows: Row[] = []
  return await scene.eventually(`${count} rows sent`, async () => {
    await scene.store.advanceRedrives()
    rows.push(...(await scene.store.claimDue([lease], 100)))
    return rows.length >= count && rows
  })
}

export async function succeeds(scene: Scene, lease: Lease, rows: readonly Row[]): Promise<Lease> {
  const counts = { matched: 0, completed: rows.length, skipped: 0 }
  const closed = rows.map(({ event }) => placeOf(event))
  return await scene.settle(lease, scene.settlement(lease, { closed, counts }))
}

export async function fails(scene: Scene, lease: Lease, rows: readonly Row[], halts = false) {
  const failure = scene.failure({ message: 'still no such customer' })
  const dead = rows.map(({ event, attempt, round }) => ({ event, attempt, round, failure, halts }))
  return await scene.settle(
    lease,
    scene.settlement(lease, { closed: rows.map(({ event }) => placeOf(event)), dead }),
  )
}

async function letterStates(scene: Scene, ids: readonly string[]) {
  const letters = await Promise.all(ids.map((id) => scene.store.deadLetter(id)))
  return letters.map((letter) => letter?.state)
}

async function expectBalance(scene: Scene): Promise<void> {
  const { matched, completed, retrying, dead, discarded, skipped } = await scene.view()
  expect(completed + retrying + dead + discarded + skipped).toBe(matched)
}

function describeChoice(open: OpenScene): void {
  it('shows beforehand what it would choose', async () => {
    const { scene, lease } = await begun(open, 3)
    await scene.died(lease, 2, { category: 'timeout', fingerprint: 'slow', message: 'too slow' })
    const preview = await scene.store.previewRedrive({ subscription: 'ship' }, 3)
    expect([preview.selected, preview.guarded]).toEqual([5, 0])
    const groups = preview.groups.map(({ category, fingerprint, message, count }) => [
      category,
      fingerprint,
      message,
      count,
    ])
    expect(groups).toEqual([
      ['permanent', 'no-such-customer', 'no such customer', 3],
      ['timeout', 'slow', 'too slow', 2],
    ])
    expect((await scene.store.previewRedrive({ category: 'timeout' }, 3)).selected).toBe(2)
    expect((await scene.store.previewRedrive({ subscription: 'else' }, 3)).selected).toBe(0)
    expect((await scene.store.previewRedrive({}, 0)).guarded).toBe(5)
  })

  it('chooses a letter for one redrive at a time, and writes down who asked (I29, I74)', async () => {
    const { scene, ids } = await begun(open, 3)
    const first = await scene.store.createRedrive(
      'r1',
      redriveRequest({ filter: { ids: ids.slice(0, 2) }, reason: 'mended' }),
    )
    expect(first).toMatchObject({ id: 'r1', state: 'running', selected: 2, sent: 0, succeeded: 0, failed: 0 })
    expect(first).toMatchObject({ actor: 'ann', reason: 'mended', endedAtMs: null })
    const second = await scene.store.createRedrive('r2', redriveRequest())
    expect(second.selected).toBe(1)
    expect(await scene.store.createRedrive('r3', redriveRequest())).toMatchObject({
      selected: 0,
      state: 'completed',
    })
    await expectBalance(scene)
    const { items } = await scene.store.audit({})
    expect(items.map(({ actor, target }) => `${actor} ${target}`)).toContain('ann r1')
    expect((await scene.store.redrives({})).items.map(({ id }) => id)).toEqual(['r3', 'r2', 'r1'])
    expect(await scene.store.redrive('r1')).toEqual(first)
    expect(await scene.store.redrive('unknown')).toBeNull()
  })

  it('is one redrive when asked twice with one key (I29)', async () => {
    const { scene } = await begun(open, 2)
    const request = redriveRequest({ idempotencyKey: 'click' })
    const [one, two] = await Promise.all([
      scene.store.createRedrive('r1', request),
      scene.store.createRedrive('r2', request),
    ])
    expect(two).toEqual(one)
    expect(one.selected).toBe(2)
    expect((await scene.store.redrives({})).items).toHaveLength(1)
    expect(await scene.store.createRedrive('r3', request)).toMatchObject({ id: one.id })
  })
}

function describeRounds(open: OpenScene): void {
  it('ends the letter with the delivery, and is over with the last one', async () => {
    const { scene, events, lease, ids } = await begun(open, 2)
    await scene.store.createRedrive('r1', redriveRequest())
    const rows = await sent(scene, lease, 2)
    expect(rows.map(({ event }) => event.id)).toEqual(idsOf(events))
    expect(rows[0]).toMatchObject({ attempt: 1, round: 1, deaths: 0, redrive: 'r1', state: 'running' })
    expect(rows[0]?.event).toEqual(events[0])
    expect(await letterStates(scene, ids)).toEqual(['redriving', 'redriving'])
    await expectBalance(scene)
    const after = await succeeds(scene, lease, rows.slice(0, 1))
    expect(await letterStates(scene, ids)).toEqual(['redriven', 'redriving'])
    expect(await scene.store.advanceRedrives()).toBe(1)
    await succeeds(scene, after, rows.slice(1))
    expect(await scene.store.advanceRedrives()).toBe(0)
    const redrive = await scene.store.redrive('r1')
    expect(redrive).toMatchObject({ state: 'completed', selected: 2, sent: 2, succeeded: 2, failed: 0 })
    expect(redrive?.endedAtMs).not.toBeNull()
    const letter = await scene.store.deadLetter(ids[0] ?? '')
    expect(letter).toMatchObject({
      state: 'redriven',
      redrive: 'r1',
      failure: { message: 'no such customer' },
    })
    expect(letter?.resolvedAtMs).not.toBeNull()
    await expectBalance(scene)
  })

  it('takes a letter back that failed again, one round further (I15)', async () => {
    const { scene, lease, ids } = await begun(open, 1)
    await scene.store.createRedrive('r1', redriveRequest())
    const after = await fails(scene, lease, await sent(scene, lease, 1))
    const letter = await scene.store.deadLetter(ids[0] ?? '')
    expect(letter).toMatchObject({
      state: 'dead',
      round: 1,
      attempts: 2,
      failure: { message: 'still no such customer' },
    })
    await scene.store.advanceRedrives()
    expect(await scene.store.redrive('r1')).toMatchObject({ state: 'completed', succeeded: 0, failed: 1 })
    await scene.store.createRedrive('r2', redriveRequest())
    const [row] = await sent(scene, after, 1)
    expect(row).toMatchObject({ attempt: 1, round: 2, redrive: 'r2' })
    await expectBalance(scene)
  })

  it('leaves letters alone that were redriven so many times (loop guard)', async () => {
    const { scene, lease, ids } = await begun(open, 2)
    await scene.store.createRedrive('r1', redriveRequest({ filter: { ids: ids.slice(0, 1) } }))
    await fails(scene, lease, await sent(scene, lease, 1))
    const preview = await scene.store.previewRedrive({ subscription: 'ship' }, 1)
    expect([preview.selected, preview.guarded]).toEqual([1, 1])
    expect((await scene.store.createRedrive('r2', redriveRequest({ roundsMax: 1 }))).selected).toBe(1)
    expect((await scene.store.createRedrive('r3', redriveRequest({ roundsMax: 2 }))).selected).toBe(1)
  })
}

function describeCanary(open: OpenScene): void {
  it('sends a few first, and the rest when they ended well', async () => {
    const { scene, lease, events } = await begun(open, 5)
    const created = await scene.store.createRedrive('r1', redriveRequest({ canary: 2 }))
    expect(created.state).toBe('canary')
    const canary = await sent(scene, lease, 2)
    expect(canary.map(({ event }) => event.id)).toEqual(idsOf(events.slice(0, 2)))
    const after = await succeeds(scene, lease, canary.slice(0, 1))
    for (let tried = 0; tried < 5; tried++) await scene.store.advanceRedrives()
    expect(await scene.store.redrive('r1')).toMatchObject({ state: 'canary', sent: 2, succeeded: 1 })
    await expectBalance(scene)
    const end = await succeeds(scene, after, canary.slice(1))
    const rest = await sent(scene, end, 3)
    expect(rest.map(({ event }) => event.id)).toEqual(idsOf(events.slice(2)))
    expect((await scene.store.redrive('r1'))?.state).toBe('running')
    await succeeds(scene, end, rest)
    await scene.store.advanceRedrives()
    expect(await scene.store.redrive('r1')).toMatchObject({ state: 'completed', succeeded: 5 })
  })

  it('stops after a canary that failed, and lets the rest go', async () => {
    const { scene, lease, ids } = await begun(open, 5)
    await scene.store.createRedrive('r1', redriveRequest({ canary: 2, stopAtErrorRate: 0.5 }))
    const after = await fails(scene, lease, await sent(scene, lease, 2))
    expect(await scene.store.advanceRedrives()).toBe(0)
    const redrive = await scene.store.redrive('r1')
    expect(redrive).toMatchObject({ state: 'stopped', sent: 2, failed: 2 })
    expect(redrive?.note).toBeTruthy()
    expect(await letterStates(scene, ids)).toEqual(Array(5).fill('dead'))
    expect(await scene.store.claimDue([after], 100)).toEqual([])
    expect((await scene.store.createRedrive('r2', redriveRequest())).selected).toBe(5)
    await expectBalance(scene)
  })

  it('stops later too, when too many of those that ended have failed', async () => {
    const { scene, lease } = await begun(open, 60)
    await scene.store.createRedrive('r1', redriveRequest({ rate: 20, canary: 1, stopAtErrorRate: 0.5 }))
    const after = await succeeds(scene, lease, await sent(scene, lease, 1))
    await fails(scene, after, await sent(scene, after, 12))
    expect(await scene.store.advanceRedrives()).toBe(0)
    const redrive = await scene.store.redrive('r1')
    expect(redrive).toMatchObject({ state: 'stopped', succeeded: 1 })
    expect(redrive?.sent).toBeLessThan(60)
    expect(redrive?.note).toBeTruthy()
    await expectBalance(scene)
    expect((await scene.store.createRedrive('r2', redriveRequest())).selected).toBe(59)
  })
}

function describePace(open: OpenScene): void {
  it('sends no faster than asked (I29)', async () => {
    const { scene } = await begun(open, 60)
    await scene.store.createRedrive('r1', redriveRequest({ rate: 4 }))
    for (let tried = 0; tried < 20; tried++) await scene.store.advanceRedrives()
    // The store's own clock says how long it took. One may go at once.
    const { items } = await scene.store.redrives({})
    const createdAtMs = items[0]?.createdAtMs ?? 0
    await scene.store.append([scene.event({ id: 'clock' })])
    const elapsedMs = ((await scene.store.event('clock'))?.recordedAtMs ?? 0) - createdAtMs
    expect(items[0]?.sent).toBeLessThanOrEqual(1 + Math.ceil((4 * elapsedMs) / 1_000))
  })
}

function describeStop(open: OpenScene): void {
  it('stops at a word: what was sent runs on, the rest is free again', async () => {
    const { scene, lease, ids } = await begun(open, 4)
    await scene.store.createRedrive('r1', redriveRequest({ canary: 1 }))
    const rows = await sent(scene, lease, 1)
    expect(await scene.store.stopRedrive('r1', 'bob', 'wrong letters')).toMatchObject({
      state: 'stopped',
      note: 'wrong letters',
    })
    expect(await scene.store.advanceRedrives()).toBe(0)
    expect(await letterStates(scene, ids)).toEqual(['redriving', 'dead', 'dead', 'dead'])
    await succeeds(scene, lease, rows)
    expect(await letterStates(scene, ids)).toEqual(['redriven', 'dead', 'dead', 'dead'])
    expect(await scene.store.redrive('r1')).toMatchObject({ state: 'stopped', sent: 1, succeeded: 1 })
    const audit = await scene.store.audit({})
    expect(audit.items[0]).toMatchObject({ actor: 'bob', target: 'r1' })
    expect((await scene.store.createRedrive('r2', redriveRequest())).selected).toBe(3)
    await expect(scene.store.stopRedrive('unknown', 'bob')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expectBalance(scene)
  })
}

function describeEdit(open: OpenScene): void {
  it('sends one letter with mended data, and refuses that for several, and for one that somebody took', async () => {
    const { scene, events, lease, ids } = await begun(open, 2)
    const editedData = '{"mended":true}'
    await expect(scene.store.createRedrive('r1', redriveRequest({ editedData }))).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
    await scene.store.createRedrive('r2', redriveRequest({ filter: { ids: ids.slice(0, 1) }, editedData }))
    const [row] = await sent(scene, lease, 1)
    expect(row?.event).toEqual({ ...events[0], data: editedData })
    for (const filter of [{ ids: ids.slice(1), round: 1 }, { ids: ids.slice(0, 1) }]) {
      const refused = scene.store.createRedrive('r3', redriveRequest({ filter, editedData }))
      await expect(refused).rejects.toMatchObject({ code: 'LETTER_CHANGED' })
    }
    expect(await scene.store.redrive('r2')).toMatchObject({ edited: true, data: { mended: true } })
    expect(await scene.store.redrives({})).toMatchObject({ items: [{ id: 'r2', edited: true }] })
    expect((await scene.store.audit({})).items).toMatchObject([{ target: 'r2', details: { edited: true } }])
    expect((await scene.store.event(events[0]?.id ?? ''))?.data).toBe(events[0]?.data)
    expect(await letterStates(scene, ids)).toEqual(['redriving', 'dead'])
  })
}

function describeDiscard(open: OpenScene): void {
  it('lets letters go by an actor with a reason, and counts them on (I28, I74)', async () => {
    const { scene, lease, ids } = await begun(open, 3)
    await scene.store.createRedrive('r1', redriveRequest({ filter: { ids: ids.slice(0, 1) } }))
    const rows = await sent(scene, lease, 1)
    expect(await scene.store.discard({ subscription: 'ship' }, 'bob', 'test data')).toBe(2)
    expect(await letterStates(scene, ids)).toEqual(['redriving', 'discarded', 'discarded'])
    const letter = await scene.store.deadLetter(ids[1] ?? '')
    expect(letter).toMatchObject({ resolvedBy: 'bob', reason: 'test data' })
    expect(letter?.resolvedAtMs).not.toBeNull()
    expect(await scene.view()).toMatchObject({ matched: 3, retrying: 1, dead: 0, discarded: 2 })
    const audit = await scene.store.audit({})
    expect(audit.items[0]).toMatchObject({ actor: 'bob' })
    expect(await scene.store.discard({ subscription: 'ship' }, 'bob', 'again')).toBe(0)
    await succeeds(scene, lease, rows)
    await expectBalance(scene)
    expect((await scene.store.createRedrive('r2', redriveRequest())).selected).toBe(0)
  })

  it('takes a letter out of a redrive that has not sent it', async () => {
    const { scene, lease, ids } = await begun(open, 2)
    await scene.store.createRedrive('r1', redriveRequest({ canary: 1 }))
    const rows = await sent(scene, lease, 1)
    expect(await scene.store.discard({ ids: ids.slice(1) }, 'bob', 'test data')).toBe(1)
    const after = await succeeds(scene, lease, rows)
    await scene.eventually('an end', async () => (await scene.store.advanceRedrives()) === 0)
    expect(await scene.store.claimDue([after], 10)).toEqual([])
    expect(await scene.store.redrive('r1')).toMatchObject({ state: 'completed', succeeded: 1, failed: 0 })
    expect(await letterStates(scene, ids)).toEqual(['redriven', 'discarded'])
    await expectBalance(scene)
  })
}

function describeHalts(open: OpenScene): void {
  async function halted(scene: Scene) {
    await scene.subscribe()
    const { lease, events, ids } = await scene.died(await scene.leased(), 1, {}, { key: 'k' }, true)
    const [waiting] = (await scene.published(1, { key: 'k' })) as [StoredEvent]
    const row = opened(waiting, { state: 'waiting', attempt: 0 })
    const after = await scene.settle(lease, await scene.passing(lease, waiting, { opened: [row] }))
    await scene.store.promote(after, keysOf('k'))
    expect(await scene.store.claimDue([after], 10)).toEqual([])
    return { lease: after, events, ids, waiting }
  }

  it('keeps to one active delivery of a key where order was asked for (I21)', async () => {
    const scene = await open()
    await scene.subscribe({ policies: { ordered: 'skip' } })
    const { lease, events } = await scene.died(await scene.leased(), 3, {}, { key: 'k' })
    await scene.store.createRedrive('r1', redriveRequest())
    let last = lease
    for (const event of events) {
      const [row, ...others] = await sent(scene, last, 1)
      expect([row?.event.id, others]).toEqual([event.id, []])
      await scene.eventually('all sent', async () => {
        await scene.store.advanceRedrives()
        return (await scene.store.redrive('r1'))?.sent === 3
      })
      expect(await scene.store.claimDue([last], 10)).toEqual([])
      last = await succeeds(scene, last, row === undefined ? [] : [row])
      await scene.store.promote(last, keysOf('k'))
    }
    await scene.store.advanceRedrives()
    expect(await scene.store.redrive('r1')).toMatchObject({ state: 'completed', succeeded: 3 })
  })

  it('frees the key of a halting letter when it is discarded (I23)', async () => {
    const scene = await open()
    const { lease, ids, waiting } = await halted(scene)
    expect(await scene.store.discard({ ids }, 'bob', 'gone')).toBe(1)
    const [row] = await scene.store.claimDue([lease], 10)
    expect(row?.event.id).toBe(waiting.id)
    expect((await scene.store.blockedKeys(lease)).halted.size).toBe(0)
  })

  it('keeps the key halted until the redriven delivery is through (I23)', async () => {
    const scene = await open()
    const { lease, ids, waiting } = await halted(scene)
    await scene.store.createRedrive('r1', redriveRequest({ filter: { ids } }))
    const rows = await sent(scene, lease, 1)
    await scene.store.promote(lease, keysOf('k'))
    expect([...(await scene.store.blockedKeys(lease)).halted]).toEqual(keysOf('k'))
    const after = await succeeds(scene, lease, rows)
    expect((await scene.store.blockedKeys(after)).halted.size).toBe(0)
    await scene.store.promote(after, keysOf('k'))
    const next = await scene.store.claimDue([after], 10)
    expect(next.map(({ event }) => event.id)).toEqual([waiting.id])
    expect(await scene.store.nextDueMs([after])).toBeNull()
  })
}

// The subscription may have changed its mind between the two deaths.
function describeLastDeath(open: OpenScene): void {
  it('halts the key by the last death of a letter, not by its first (I23)', async () => {
    const scene = await open()
    await scene.subscribe()
    const before = await scene.died(await scene.leased(), 1, {}, { key: 'k' })
    await scene.store.createRedrive('r1', redriveRequest())
    const halted = await fails(scene, before.lease, await sent(scene, before.lease, 1), true)
    expect([...(await scene.store.blockedKeys(halted)).halted]).toEqual(keysOf('k'))
    await scene.store.createRedrive('r2', redriveRequest())
    const free = await fails(scene, halted, await sent(scene, halted, 1))
    expect((await scene.store.blockedKeys(free)).halted.size).toBe(0)
    expect(await scene.store.deadLetter(before.ids[0] ?? '')).toMatchObject({ state: 'dead', halts: false })
  })
}
