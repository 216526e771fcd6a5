// Append on any store: all or nothing, once per id, and exactly what was given.
import { describe, expect, it } from 'vitest'
import { idsOf, type OpenScene } from './scene.js'

export function describeAppend(open: OpenScene): void {
  describe('append', () => {
    describeContent(open)
    describeIdempotency(open)
    describeConcurrency(open)
    describeTransactions(open)
    describeActs(open)
    describeHeldIds(open)
  })
}

function describeContent(open: OpenScene): void {
  it('keeps every attribute and the bytes of the body (I5)', async () => {
    const scene = await open()
    const full = scene.event({
      id: 'ünïcode 😀 "quoted"',
      version: 7,
      tenant: 'acme',
      source: '/shop/1',
      subject: 'order-1',
      key: "O'Brien",
      timeMs: Date.UTC(1999, 11, 31, 23, 59, 59, 999),
      data: '{ "b": 1.10,  "a": [9007199254740993, "\\u20ac", null], "b2": "" }',
      causationId: 'cause-1',
      extensions: '{"partition":"x","retries":3,"urgent":true}',
      fingerprint: 'print',
    })
    const bare = scene.event({ data: null, claim: 'bodies/1' })
    expect(await scene.store.append([full, bare])).toEqual(['stored', 'stored'])
    const [first, second] = await scene.log()
    const { fingerprint: _first, ...expected } = full
    const { fingerprint: _second, ...expectedBare } = bare
    expect(first).toEqual({ ...expected, ...placeIn(first) })
    expect(second).toEqual({ ...expectedBare, ...placeIn(second) })
    expect(first?.epoch).toBeGreaterThan(0)
    expect(second?.seq).toBeGreaterThan(first?.seq ?? Number.POSITIVE_INFINITY)
    expect(second?.xid).toBe(first?.xid)
    expect(second?.recordedAtMs).toBeGreaterThan(Date.UTC(2020, 0, 1))
  })

  it('puts the events of one call behind those of the call before, in their order (I7)', async () => {
    const scene = await open()
    const calls = [scene.events(3), scene.events(1), scene.events(2)]
    for (const events of calls) await scene.store.append(events)
    expect(idsOf(await scene.log())).toEqual(idsOf(calls.flat()))
  })
}

function placeIn(
  event: { epoch: number; xid: number; seq: number; tick: number; recordedAtMs: number } | undefined,
) {
  const { epoch, xid, seq, tick, recordedAtMs } = event ?? {
    epoch: 0,
    xid: 0,
    seq: 0,
    tick: 0,
    recordedAtMs: 0,
  }
  return { epoch, xid, seq, tick, recordedAtMs }
}

function describeIdempotency(open: OpenScene): void {
  it('stores one event for the same id and body, and refuses the id for another body (I4)', async () => {
    const scene = await open()
    const first = scene.event({ id: 'order-1', fingerprint: 'body-a' })
    const again = scene.event({ id: 'order-1', fingerprint: 'body-a' })
    const other = scene.event({ id: 'order-1', fingerprint: 'body-b', data: '{"other":true}' })
    expect(await scene.store.append([first])).toEqual(['stored'])
    expect(await scene.store.append([again])).toEqual(['duplicate'])
    expect(await scene.store.append([other])).toEqual(['conflict'])
    const [stored, ...rest] = await scene.log()
    expect([stored?.data, rest]).toEqual([first.data, []])
  })

  it('answers per event, in order, and stores the others of the batch', async () => {
    const scene = await open()
    await scene.store.append([scene.event({ id: 'known', fingerprint: 'body' })])
    const outcomes = await scene.store.append([
      scene.event({ id: 'new-1', fingerprint: 'body' }),
      scene.event({ id: 'known', fingerprint: 'another body' }),
      scene.event({ id: 'unchecked' }),
      scene.event({ id: 'known-too', fingerprint: 'body' }),
    ])
    expect(outcomes).toEqual(['stored', 'conflict', 'stored', 'stored'])
    expect(idsOf(await scene.log())).toEqual(['known', 'new-1', 'unchecked', 'known-too'])
    expect(await scene.store.append([scene.event({ id: 'new-1', fingerprint: 'body' })])).toEqual([
      'duplicate',
    ])
  })

  it('stores nothing of a batch with a conflict when all of it is wanted', async () => {
    const scene = await open()
    await scene.store.append([scene.event({ id: 'known', fingerprint: 'body' })])
    const batch = [
      scene.event({ id: 'new', fingerprint: 'body' }),
      scene.event({ id: 'known', fingerprint: 'b' }),
    ]
    expect((await scene.store.appendAll(batch))[1]).toBe('conflict')
    expect(idsOf(await scene.log())).toEqual(['known'])
    expect(await scene.store.appendAll(batch.slice(0, 1))).toEqual(['stored'])
    expect(await scene.store.appendAll(batch.slice(0, 1))).toEqual(['duplicate'])
  })

  it('scopes an id by tenant and source, and checks none without a fingerprint (I60)', async () => {
    const scene = await open()
    const given = { id: 'order-1', fingerprint: 'body' }
    const events = [
      scene.event(given),
      scene.event({ ...given, tenant: 'acme', fingerprint: 'other' }),
      scene.event({ ...given, source: '/elsewhere', fingerprint: 'other' }),
      scene.event({ ...given, fingerprint: null }),
    ]
    for (const event of events) expect(await scene.store.append([event])).toEqual(['stored'])
    expect(await scene.log()).toHaveLength(4)
  })
}

function describeConcurrency(open: OpenScene): void {
  it('stores one of many concurrent repeats and tells the others (I4)', async () => {
    const scene = await open()
    const repeats = Array.from({ length: 8 }, () => scene.event({ id: 'order-1', fingerprint: 'body' }))
    const answers = await Promise.all(repeats.map((event) => scene.store.append([event, scene.event()])))
    const outcomes = answers.map(([outcome]) => outcome).sort()
    expect(outcomes).toEqual([...Array(7).fill('duplicate'), 'stored'])
    expect((await scene.log()).filter(({ id }) => id === 'order-1')).toHaveLength(1)
  })

  it('lets one of several concurrent bodies have the id (I4)', async () => {
    const scene = await open()
    const bodies = ['a', 'b', 'c', 'd']
    const answers = await Promise.all(
      bodies.map((body) =>
        scene.store.append([scene.event({ id: 'order-1', fingerprint: body, data: `"${body}"` })]),
      ),
    )
    const outcomes = answers.flat()
    expect([...outcomes].sort()).toEqual(['conflict', 'conflict', 'conflict', 'stored'])
    const winner = bodies[outcomes.indexOf('stored')]
    expect((await scene.log()).map(({ data }) => data)).toEqual([`"${winner}"`])
  })

  it('survives batches that name the same ids in another order', async () => {
    const scene = await open()
    const ids = ['a', 'b', 'c', 'd', 'e', 'f']
    const batch = (order: string[]) => order.map((id) => scene.event({ id, fingerprint: id }))
    const answers = await Promise.all([
      ...[0, 1, 2].map(() => scene.store.append(batch(ids))),
      ...[0, 1, 2].map(() => scene.store.append(batch([...ids].reverse()))),
    ])
    expect(answers.flat().filter((outcome) => outcome === 'stored')).toHaveLength(ids.length)
    expect(idsOf(await scene.log()).sort()).toEqual(ids)
  })
}

function describeTransactions(open: OpenScene): void {
  it('shows what a transaction appended when it commits, all of it (I2)', async () => {
    const scene = await open()
    const transaction = await scene.transaction()
    const events = [scene.event({ id: 'given', fingerprint: 'body' }), scene.event()]
    expect(await scene.store.appendWithin(transaction.executor, events.slice(0, 1))).toEqual(['stored'])
    expect(await scene.store.appendWithin(transaction.executor, events.slice(1))).toEqual(['stored'])
    expect(await scene.log()).toEqual([])
    expect(await scene.store.event(events[0]?.id ?? '')).toBeNull()
    await transaction.commit()
    expect(idsOf(await scene.log())).toEqual(idsOf(events))
  })

  it('never shows what a transaction appended that rolled back, and frees its ids (I2, I3)', async () => {
    const scene = await open()
    const transaction = await scene.transaction()
    const given = scene.event({ id: 'given', fingerprint: 'body' })
    await scene.store.appendWithin(transaction.executor, [given, scene.event()])
    await transaction.rollback()
    const later = scene.event()
    await scene.store.append([later])
    expect(idsOf(await scene.log())).toEqual([later.id])
    expect(await scene.store.append([{ ...given, fingerprint: 'another body' }])).toEqual(['stored'])
  })

  it('tells a transaction of its own repeats', async () => {
    const scene = await open()
    const transaction = await scene.transaction()
    const event = (fingerprint: string) => scene.event({ id: 'given', fingerprint })
    expect(await scene.store.appendWithin(transaction.executor, [event('a')])).toEqual(['stored'])
    expect(await scene.store.appendWithin(transaction.executor, [event('a')])).toEqual(['duplicate'])
    expect(await scene.store.appendWithin(transaction.executor, [event('b')])).toEqual(['conflict'])
    await transaction.commit()
    expect(await scene.log()).toHaveLength(1)
  })
}

function describeActs(open: OpenScene): void {
  it('stores what a person did with its audit row, and a repeat of it not again (I74)', async () => {
    const scene = await open()
    const act = { actor: 'ann', action: 'tests.act', target: 'it', details: { reason: 'so' } }
    const event = (fingerprint: string) => scene.event({ id: 'given', fingerprint })
    expect(await scene.store.appendActed(event('a'), act)).toBe('stored')
    expect(await scene.store.appendActed(event('a'), act)).toBe('duplicate')
    expect(await scene.store.appendActed(event('b'), act)).toBe('conflict')
    expect(idsOf(await scene.log())).toEqual(['given'])
    expect((await scene.store.audit({})).items).toMatchObject([act])
  })
}

function describeHeldIds(open: OpenScene): void {
  it.each([
    ['commits', 'duplicate'],
    ['rolls back', 'stored'],
  ])('answers about an id of an open transaction once that %s (I4)', async (end, outcome) => {
    const scene = await open()
    const transaction = await scene.transaction()
    const given = scene.event({ id: 'given', fingerprint: 'body' })
    await scene.store.appendWithin(transaction.executor, [given])
    let answered = false
    const answer = scene.store.append([{ ...given }]).finally(() => {
      answered = true
    })
    // Something else on the same store takes its turn meanwhile: the answer would have come by then.
    for (let turn = 0; turn < 5; turn++) await scene.store.ping()
    expect(answered).toBe(false)
    await (end === 'commits' ? transaction.commit() : transaction.rollback())
    expect(await answer).toEqual([outcome])
    expect(await scene.log()).toHaveLength(1)
  })
}
