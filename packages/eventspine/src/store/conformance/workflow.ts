// Histories of workflows on any store: added to under the lease and from the place that is known, or not at all.
import { describe, expect, it } from 'vitest'
import type { Lease } from '../../deliver/port.js'
import type { NewEvent } from '../../event/stored.js'
import {
  type AwaitedOutside,
  decisionType,
  type Entry,
  type InstanceName,
  questionTextMax,
  type Recording,
} from '../../workflow/port.js'
import { idsOf, longMs, type OpenScene, type Scene } from './scene.js'

export const name: InstanceName = { tenant: 'default', workflow: 'checkout', id: 'a' }
const deadlineInMs = 1_000_000

const entryOf = (position: number, data = `{"n":${position}}`): Entry => ({
  ...{
    position,
    kind: position === 0 ? 'started' : 'step-done',
    place: String(position),
    name: `s${position}`,
  },
  ...{ data, atMs: 1_700_000_000_000 + position },
})

export function recordingOf(lease: Lease, from: number, parts: Partial<Recording> = {}): Recording {
  return {
    ...{ ...name, consumer: lease, from, entries: [entryOf(from)], state: 'running', wakeAtMs: null },
    ...{ published: [], awaited: null, made: from === 0 ? { version: 2, parent: null, deadlineInMs } : null },
    ...parts,
  }
}

export async function begun(open: OpenScene): Promise<{ scene: Scene; lease: Lease }> {
  const scene = await open()
  await scene.subscribe()
  const lease = await scene.leased('worker-a')
  expect(await scene.store.recordWorkflows([recordingOf(lease, 0)])).toEqual(new Set([0]))
  return { scene, lease }
}

const historyOf = async (scene: Scene) =>
  (await scene.store.loadWorkflows([name])).found[0]?.history.map(({ name: step, data }) => `${step} ${data}`)

export function describeWorkflow(open: OpenScene): void {
  describe('workflow', () => {
    describeRecording(open)
    describeFencing(open)
    describeWaking(open)
    describeAwaiting(open)
    describeAsking(open)
    describeApprovals(open)
    describeApprovalPages(open)
  })
}

function describeRecording(open: OpenScene): void {
  it('makes an instance, adds to it, and answers all of it in order (I42)', async () => {
    const { scene, lease } = await begun(open)
    const more = recordingOf(lease, 1, { entries: [entryOf(1), entryOf(2)], wakeAtMs: 2_000_000_000_000 })
    expect(await scene.store.recordWorkflows([more])).toEqual(new Set([0]))
    const { found } = await scene.store.loadWorkflows([{ ...name, id: 'b' }, name])
    expect(found[0]).toBeUndefined()
    expect(found[1]?.history).toEqual([entryOf(0), entryOf(1), entryOf(2)])
    expect(found[1]?.instance).toMatchObject({
      ...{ ...name, version: 2, state: 'running', entries: 3, parent: null },
      ...{ wakeAtMs: 2_000_000_000_000, endedAtMs: null },
    })
  })

  it('starts the same id once, and for each tenant (I45, I60)', async () => {
    const { scene, lease } = await begun(open)
    const again = recordingOf(lease, 0, { entries: [entryOf(0, '{"n":"other"}')] })
    const other = recordingOf(lease, 0, { tenant: 'other' })
    expect(await scene.store.recordWorkflows([again, other])).toEqual(new Set([1]))
    expect(await historyOf(scene)).toEqual(['s0 {"n":0}'])
  })

  it('appends what is published with it, once', async () => {
    const { scene, lease } = await begun(open)
    const event = scene.event()
    const recording = recordingOf(lease, 1, { published: [event] })
    await scene.store.recordWorkflows([recording])
    expect(await scene.store.recordWorkflows([recording])).toEqual(new Set([0]))
    expect(idsOf(await scene.log())).toEqual(idsOf([event as never]))
  })

  it('keeps when it ended, and wakes it no more', async () => {
    const { scene, lease } = await begun(open)
    await scene.store.recordWorkflows([recordingOf(lease, 1, { state: 'completed' })])
    const ended = (await scene.store.workflow(name))?.instance
    expect(ended).toMatchObject({ state: 'completed', deadlineAtMs: null, wakeAtMs: null })
    expect(ended?.endedAtMs).toEqual(expect.any(Number))
  })
}

function describeFencing(open: OpenScene): void {
  it('refuses who lost the lease (I44)', async () => {
    const { scene, lease } = await begun(open)
    await scene.store.release([lease])
    const next = await scene.leased('worker-b')
    const event = scene.event()
    const late = recordingOf(lease, 1, { published: [event] })
    expect(await scene.store.recordWorkflows([late])).toEqual(new Set())
    expect(await scene.store.recordWorkflows([recordingOf(next, 1)])).toEqual(new Set([0]))
    expect(await scene.log()).toEqual([])
  })

  it('begins nothing on the code of a holder whose definition is not in force any more (I26, I56)', async () => {
    const scene = await open()
    await scene.subscribe({ selection: 'one' })
    const lease = await scene.leased('worker-a')
    await scene.store.recordWorkflows([recordingOf(lease, 0)])
    await scene.subscribe({ selection: 'two' })
    const goesOn = recordingOf(lease, 1)
    const begins = recordingOf(lease, 0, { id: 'b' })
    expect(await scene.store.recordWorkflows([begins, goesOn])).toEqual(new Set([1]))
    await scene.store.release([lease])
    const next = await scene.leased('worker-b')
    expect(await scene.store.recordWorkflows([recordingOf(next, 0, { id: 'b' })])).toEqual(new Set([0]))
  })

  it('refuses who does not know all of it (I42, I44)', async () => {
    const { scene, lease } = await begun(open)
    await scene.store.recordWorkflows([recordingOf(lease, 1)])
    const late = recordingOf(lease, 1, { entries: [entryOf(1, '{"n":"late"}')] })
    expect(await scene.store.recordWorkflows([late])).toEqual(new Set())
    expect(await scene.store.recordWorkflows([recordingOf(lease, 3)])).toEqual(new Set())
    expect(await historyOf(scene)).toEqual(['s0 {"n":0}', 's1 {"n":1}'])
  })

  it('takes the same once more when its answer was lost, and each of a group for itself', async () => {
    const { scene, lease } = await begun(open)
    const first = recordingOf(lease, 1)
    await scene.store.recordWorkflows([first])
    const other = recordingOf(lease, 0, { id: 'b' })
    const wrong = recordingOf(lease, 7, { id: 'c', made: null })
    expect(await scene.store.recordWorkflows([first, wrong, other])).toEqual(new Set([0, 2]))
    expect(await historyOf(scene)).toEqual(['s0 {"n":0}', 's1 {"n":1}'])
  })
}

function describeWaking(open: OpenScene): void {
  const nowMs = async (scene: Scene) => (await scene.store.loadWorkflows([name])).nowMs

  it('wakes when it is due, not before, and once (I46)', async () => {
    const { scene, lease } = await begun(open)
    const now = await nowMs(scene)
    const sleeps = (id: string, inMs: number) => recordingOf(lease, 0, { id, wakeAtMs: now + inMs })
    await scene.store.recordWorkflows([sleeps('soon', -1), sleeps('late', longMs)])
    const woken: string[] = []
    const wake = () =>
      scene.store.wakeWorkflows(10, ({ id, cause }) => {
        woken.push(`${id} ${cause}`)
        return [scene.event({ key: id })]
      })
    expect(await scene.store.nextWakeMs()).toBe(0)
    expect([await wake(), await wake()]).toEqual([1, 0])
    expect(woken).toEqual(['soon timer'])
    expect((await scene.log()).map(({ key }) => key)).toEqual(['soon'])
    expect(await scene.store.nextWakeMs()).toBeGreaterThan(longMs - 60_000)
  })

  it('tells of a passed deadline once, unless it has ended (I53)', async () => {
    const { scene, lease } = await begun(open)
    const overdue = (id: string) =>
      recordingOf(lease, 0, { id, made: { version: 1, parent: null, deadlineInMs: -1 } })
    await scene.store.recordWorkflows([overdue('late'), overdue('ended')])
    await scene.store.recordWorkflows([recordingOf(lease, 1, { id: 'ended', state: 'completed' })])
    const told: string[] = []
    const wake = () =>
      scene.store.wakeWorkflows(10, ({ id, cause }) => {
        told.push(`${id} ${cause}`)
        return []
      })
    expect([await wake(), await wake()]).toEqual([1, 0])
    expect(told).toEqual(['late deadline'])
  })
}

function describeAwaiting(open: OpenScene): void {
  const paid = { type: 'orders.paid', key: 'order 1' }
  const asked = (parts: object = {}) => ({ tenant: 'default', workflow: 'checkout', ...paid, ...parts })

  it('knows who waits for an event, until they do not any more (I47)', async () => {
    const { scene, lease } = await begun(open)
    const other = { place: '2', type: 'orders.paid', key: 'order 2' }
    const waits = recordingOf(lease, 1, { awaited: [{ place: '1', ...paid }, other] })
    expect(await scene.store.recordWorkflows([waits])).toEqual(new Set([0]))
    const questions = [
      ...[asked(), asked({ key: 'order 2' }), asked({ key: 'order 3' })],
      ...[asked({ type: 'orders.placed' }), asked({ tenant: 'other' }), asked({ workflow: 'other' })],
    ]
    expect(await scene.store.awaiting(questions)).toEqual([['a'], ['a'], [], [], [], []])
    await scene.store.recordWorkflows([recordingOf(lease, 2, { awaited: null })])
    expect(await scene.store.awaiting([asked()])).toEqual([['a']])
    await scene.store.recordWorkflows([recordingOf(lease, 3, { awaited: [other] })])
    expect(await scene.store.awaiting([asked(), asked({ key: 'order 2' })])).toEqual([[], ['a']])
    // Changed code may wait for another key at the same place.
    await scene.store.recordWorkflows([recordingOf(lease, 4, { awaited: [{ ...other, key: 'order 3' }] })])
    const keys = [asked({ key: 'order 2' }), asked({ key: 'order 3' })]
    expect(await scene.store.awaiting(keys)).toEqual([[], ['a']])
  })

  it('keeps what is awaited with the entries, or neither (I44)', async () => {
    const { scene, lease } = await begun(open)
    await scene.store.release([lease])
    await scene.leased('worker-b')
    await scene.store.recordWorkflows([recordingOf(lease, 1, { awaited: [{ place: '1', ...paid }] })])
    expect(await scene.store.awaiting([asked()])).toEqual([[]])
  })

  it('finds what came since, of that type, key and tenant, and was not taken (I47, I58)', async () => {
    const scene = await open()
    const since = scene.event()
    const parts: Parameters<typeof scene.event>[0][] = [
      ...[paid, {}, paid, { ...paid, type: 'orders.placed' }, { ...paid, key: 'order 2' }],
      ...[{ ...paid, tenant: 'other' }, paid],
    ]
    const [before, ...after] = parts.map((each) => scene.event(each))
    await scene.store.append([before as NewEvent])
    await scene.store.append([since])
    for (const event of after) await scene.store.append([event])
    const wanted = { tenant: 'default', ...paid, since: since.id, taken: [], after: 0 }
    const found = await scene.store.occurrences(wanted)
    const first = after[1] as NewEvent
    const last = after[5] as NewEvent
    expect(found.map(({ id }) => id)).toEqual([first.id, last.id])
    const { fingerprint: _, ...stored } = first
    expect(found[0]).toMatchObject(stored)
    expect(idsOf(await scene.store.occurrences({ ...wanted, taken: [first.id] }))).toEqual(idsOf([last]))
    const behind = { ...wanted, after: found[0]?.seq ?? 0 }
    expect(idsOf(await scene.store.occurrences(behind))).toEqual(idsOf([last]))
    const all = await scene.store.occurrences({ ...wanted, since: 'gone' })
    expect(all.map(({ id }) => id)).toEqual([before?.id, first.id, last.id])
  })
}

function describeAsking(open: OpenScene): void {
  it('lists by state, workflow and tenant, newest first, page by page', async () => {
    const { scene, lease } = await begun(open)
    await scene.store.recordWorkflows([recordingOf(lease, 0, { id: 'b', state: 'failed' })])
    await scene.store.recordWorkflows([recordingOf(lease, 0, { id: 'c', workflow: 'other' })])
    await scene.store.recordWorkflows([recordingOf(lease, 0, { id: 'd', tenant: 'other' })])
    const ids = async (query: Parameters<typeof scene.store.workflows>[0]) =>
      (await scene.store.workflows(query)).items.map(({ id }) => id)
    expect(await ids({})).toEqual(['d', 'c', 'b', 'a'])
    expect(await ids({ tenant: 'default', workflow: 'checkout' })).toEqual(['b', 'a'])
    expect(await ids({ state: 'failed' })).toEqual(['b'])
    expect(await ids({ state: 'open' })).toEqual(['d', 'c', 'a'])
    expect(await ids({ state: 'needs-attention' })).toEqual([])
    expect([await ids({ id: 'c' }), await ids({ id: 'c', tenant: 'other' })]).toEqual([['c'], []])
    expect(await scene.store.openVersions(['checkout', 'other', 'unknown'])).toEqual([
      { workflow: 'checkout', version: 2, instances: 2 },
      { workflow: 'other', version: 2, instances: 1 },
    ])
    expect([await ids({ version: 2 }), await ids({ version: 1 })]).toEqual([['d', 'c', 'b', 'a'], []])
    const later = (await scene.store.workflows({ id: 'c' })).items[0]?.startedAtMs as number
    const of = (ms: number) => ({ startedBefore: new Date(ms) })
    expect([await ids(of(later - 60_000)), await ids(of(later + 60_000))]).toEqual([[], ['d', 'c', 'b', 'a']])
    expect(await ids({ startedAfter: new Date(later - 60_000) })).toEqual(['d', 'c', 'b', 'a'])
    expect(await ids({ startedAfter: new Date(later + 60_000), state: 'open' })).toEqual([])
    const first = await scene.store.workflows({ limit: 3 })
    expect(await ids({ limit: 3, cursor: first.cursor as string })).toEqual(['a'])
  })

  it('lists who waits for a person: the one whose letter halts it, and not the same id of another tenant', async () => {
    const { scene, lease } = await begun(open)
    await scene.store.recordWorkflows([recordingOf(lease, 0, { tenant: 'other' })])
    await scene.store.recordWorkflows([recordingOf(lease, 0, { id: 'b' })])
    await scene.subscribe({ name: 'workflow-checkout' })
    const own = await scene.leased('worker-a', 'workflow-checkout')
    const { ids } = await scene.died(own, 1, { message: 'stuck' }, { key: name.id, tenant: 'other' }, true)
    const found = async (query: object) =>
      (await scene.store.workflows({ state: 'needs-attention', ...query })).items.map(
        ({ tenant, id, attention }) => [tenant, id, attention?.letter, attention?.message],
      )
    const expected = [['other', name.id, ids[0], 'stuck']]
    expect(await found({})).toEqual(expected)
    expect(await found({ tenant: 'other', workflow: 'checkout' })).toEqual(expected)
    expect([await found({ tenant: 'default' }), await found({ workflow: 'another' })]).toEqual([[], []])
    expect((await scene.store.workflow({ ...name, tenant: 'other' }))?.attention?.letter).toBe(ids[0])
    expect((await scene.store.workflow(name))?.attention).toBeNull()
    await scene.store.discard({ ids }, 'ada', 'gone')
    expect(await found({})).toEqual([])
  })

  it('shows one with its history, and nothing where there is none', async () => {
    const { scene } = await begun(open)
    expect(await scene.store.workflow(name)).toMatchObject({ history: [entryOf(0)], attention: null })
    expect(await scene.store.workflow({ ...name, tenant: 'other' })).toBeNull()
  })
}

const askedAtMs = 1_700_000_000_000
const dueAtMs = 2_000_000_000_000

const asks = (position: number, place: string, text: string): Entry => ({
  ...{ position, kind: 'asked', place, name: `pay ${place}`, atMs: askedAtMs + position },
  data: JSON.stringify({ to: 'finance', text }),
})
const question = (position: number, place: string, until: number | null = null): AwaitedOutside => ({
  ...{ place, type: decisionType, key: `pay ${place}`, question: { position, dueAtMs: until } },
})

const listed = async (scene: Scene, query: object = {}) =>
  (await scene.store.workflows({ state: 'awaiting-approval', ...query })).items
const ids = async (scene: Scene, query?: object) => (await listed(scene, query)).map(({ id }) => id)

function describeApprovals(open: OpenScene): void {
  const counted = async (scene: Scene) => (await scene.store.tally()).awaitingApproval

  it('shows which decision an instance waits for: the one asked first, and how many there are (I47)', async () => {
    const { scene, lease } = await begun(open)
    expect([await listed(scene), await counted(scene)]).toEqual([[], 0])
    const entries = [asks(1, '4', 'Pay?'), asks(2, '3', 'And this?')]
    const awaited = [question(2, '3'), question(1, '4', dueAtMs)]
    await scene.store.recordWorkflows([recordingOf(lease, 1, { entries, awaited })])
    const approval = {
      ...{ name: 'pay 4', question: '4', to: 'finance', text: 'Pay?' },
      ...{ askedAtMs: askedAtMs + 1, dueAtMs, open: 2 },
    }
    expect(await listed(scene)).toMatchObject([{ ...name, approval, attention: null }])
    expect((await scene.store.workflows({})).items).toMatchObject([{ approval }])
    expect((await scene.store.workflow(name))?.approval).toEqual(approval)
    // An instance is one, however many it asks.
    expect(await counted(scene)).toBe(1)
    await scene.store.recordWorkflows([recordingOf(lease, 3, { awaited: [question(2, '3')] })])
    expect(await listed(scene)).toMatchObject([{ approval: { question: '3', dueAtMs: null, open: 1 } }])
    // Nobody is told that an event came which is none.
    const asked = { tenant: 'default', workflow: 'checkout', type: 'orders.paid', key: 'pay 3' }
    expect(await scene.store.awaiting([asked])).toEqual([[]])
  })

  it('shows the beginning of a long text, and no half of a character', async () => {
    const { scene, lease } = await begun(open)
    const text = '🙂'.repeat(questionTextMax + 1)
    await scene.store.recordWorkflows([
      recordingOf(lease, 1, { entries: [asks(1, '1', text)], awaited: [question(1, '1')] }),
    ])
    expect((await listed(scene))[0]?.approval?.text).toBe(`${'🙂'.repeat(questionTextMax)}…`)
  })

  it('shows none that was decided or is not asked any more, and none of an instance that has ended (I47)', async () => {
    const { scene, lease } = await begun(open)
    const ask = (id: string, from: number) =>
      recordingOf(lease, from, { id, entries: [asks(from, '1', 'Pay?')], awaited: [question(from, '1')] })
    const others = ['decided', 'ended', 'terminated', 'left'].map((id) => recordingOf(lease, 0, { id }))
    await scene.store.recordWorkflows(others)
    await scene.store.recordWorkflows(others.map(({ id }) => ask(id, 1)))
    expect([await ids(scene), await counted(scene)]).toEqual([['left', 'terminated', 'ended', 'decided'], 4])
    await scene.store.recordWorkflows([recordingOf(lease, 2, { id: 'decided', awaited: [] })])
    // As a worker that knows nothing of questions ends it.
    await scene.store.recordWorkflows([recordingOf(lease, 2, { id: 'ended', state: 'completed' })])
    const end = { state: 'terminated', data: null } as const
    const act = { actor: 'ada', action: 'workflow.terminate', target: 'terminated', details: {} }
    expect(await scene.store.endWorkflow({ ...name, id: 'terminated' }, 2, end, [], act)).toBe(true)
    expect([await ids(scene), await counted(scene)]).toEqual([['left'], 1])
    const ended = (await scene.store.workflows({ id: 'ended' })).items
    expect(ended).toMatchObject([{ state: 'completed', approval: null }])
    await scene.store.recordWorkflows([ask('decided', 3)])
    expect(await ids(scene)).toEqual(['left', 'decided'])
  })
}

function describeApprovalPages(open: OpenScene): void {
  it('lists them newest first, page by page, by workflow and tenant', async () => {
    const { scene, lease } = await begun(open)
    const of = (id: string, parts: object) =>
      recordingOf(lease, 0, { id, entries: [asks(0, '1', 'Pay?')], awaited: [question(0, '1')], ...parts })
    const made = [of('b', {}), of('c', { workflow: 'other' }), of('d', { tenant: 'other' })]
    for (const each of made) await scene.store.recordWorkflows([each])
    expect(await ids(scene)).toEqual(['d', 'c', 'b'])
    expect(await ids(scene, { tenant: 'default', workflow: 'checkout' })).toEqual(['b'])
    const first = await scene.store.workflows({ state: 'awaiting-approval', limit: 2 })
    expect(first.items.map(({ id }) => id)).toEqual(['d', 'c'])
    expect(await ids(scene, { limit: 2, cursor: first.cursor })).toEqual(['b'])
  })
}
