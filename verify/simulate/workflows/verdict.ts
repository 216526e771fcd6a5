// The verdict over the workflows of a schedule: their histories, what the world saw, and what was promised must agree.
import { type Entry, snapshotOf } from '../engine.js'
import type { World } from '../world.js'
import type { Audience } from './audience.js'
import { reported, simName } from './cast.js'
import type { Scenes } from './scenes.js'
import { endOf, type Shape } from './shape.js'

interface Instance {
  readonly id: string
  readonly state: string
  readonly history: readonly Entry[]
}

type Violated = (invariant: string, what: string) => void

export function judgeWorkflows(world: World, scenes: Scenes, audience: Audience): void {
  const violated: Violated = (invariant, what) => world.ledger.violated(invariant, what)
  for (const [id, shape] of audience.shapes) {
    const rows = [...world.tables.workflows.values()].filter(
      (row) => row.workflow === simName && row.id === id,
    )
    const [row] = rows
    if (row === undefined || rows.length > 1) {
      violated('I45', `${id} is ${rows.length} instances`)
      continue
    }
    judgeHistory(row, violated)
    judgeEnd(row, shape, scenes, violated)
    judgeSaga(row, scenes, violated)
    judgeSignals(world, row, scenes, violated)
    judgePublished(world, row, shape, violated)
    if (row.state === 'compensated') world.tally.met('saga compensated')
    if (row.state === 'cancelled') world.tally.met('workflow cancelled')
    if (ranTwice(scenes, id)) world.tally.met('step ran twice for one answer')
  }
}

function judgeHistory({ id, history }: Instance, violated: Violated): void {
  history.forEach(({ position }, index) => {
    if (position !== index) violated('I42', `${id} has entry ${position} at ${index}`)
  })
  const answered = history.filter(({ kind }) => kind === 'step-done' || kind === 'undo-done')
  if (new Set(answered.map(({ place }) => place)).size < answered.length)
    violated('I42', `a step of ${id} has two answers`)
  const ended = history.filter(({ kind }) => kind === 'ended')
  if (ended.length !== 1) violated('I48', `${id} ended ${ended.length} times`)
  const behind = history.slice(history.findIndex(({ kind }) => kind === 'ended') + 1)
  if (behind.some(({ kind }) => kind !== 'signal')) violated('I48', `${id} went on after its end`)
}

function judgeEnd({ id, state, history }: Instance, shape: Shape, scenes: Scenes, violated: Violated): void {
  const expected = endOf(shape)
  const cancelled = history.some(({ kind }) => kind === 'cancel-requested')
  if (state === expected) return
  if (cancelled && scenes.cancelled.has(id) && ['cancelled', 'compensated'].includes(state)) return
  violated('I49', `${id} ended as ${state}, and should have as ${expected}`)
}

function judgeSaga({ id, state, history }: Instance, { seen }: Scenes, violated: Violated): void {
  const of = (kind: Entry['kind']) => history.filter((entry) => entry.kind === kind).map(({ name }) => name)
  const acts = (act: 'do' | 'undo') =>
    seen.filter((each) => each.instance === id && each.act === act).map(({ step }) => step)
  const undone = of('undo-done')
  if (state !== 'compensated' && (undone.length > 0 || acts('undo').length > 0))
    violated('I50', `${id} is ${state}, and ${[...undone, ...acts('undo')].join(', ')} are undone`)
  if (state !== 'compensated') return
  const begun = of('step-begun')
  if (undone.join() !== [...begun].reverse().join())
    violated('I50', `${id} began ${begun.join(', ')} and undid ${undone.join(', ')}`)
  for (const step of undone)
    if (!acts('undo').includes(step)) violated('I50', `nobody undid ${step} of ${id}`)
}

function judgeSignals(
  { tables, tally }: World,
  { id, history }: Instance,
  { signalled }: Scenes,
  violated: Violated,
): void {
  const accepted = tables.ticks
    .flatMap(({ after, snapshot }) => tables.eventsBetween(snapshotOf(after), snapshotOf(snapshot)))
    .filter(({ key, type }) => key === id && type.endsWith(`${simName}.signalled`))
    .map(({ id: event }) => event)
  const given = history
    .filter(({ kind }) => kind === 'signal')
    .map(({ data }) => (JSON.parse(data ?? '{}') as { readonly event: string }).event)
  if (given.join() !== accepted.join())
    violated('I47', `${id} accepted ${accepted.join(', ')} and was given ${given.join(', ')}`)
  if (accepted.length < (signalled.get(id) ?? 0))
    violated('I47', `${signalled.get(id)} signals of ${id} were acknowledged, ${accepted.length} are there`)
  // The code asks for signals behind its steps.
  const lastStep = history.findLastIndex(({ kind, name }) => kind === 'step-done' && name.startsWith('step '))
  if (history.slice(0, lastStep).some(({ kind }) => kind === 'signal')) tally.met('signal before its wait')
}

function judgePublished({ tables }: World, { id, state }: Instance, shape: Shape, violated: Violated): void {
  const count = tables
    .visibleEvents()
    .filter(({ type, data }) => type === reported.type && data === JSON.stringify({ id })).length
  const expected = shape.publishes && state === 'completed' ? 1 : 0
  if (count !== expected && !(shape.publishes && count === 1))
    violated('I42', `${id} is ${state}, and published ${count} times`)
}

function ranTwice({ seen }: Scenes, id: string): boolean {
  const own = seen.filter(({ instance, act }) => instance === id && act === 'do').map(({ step }) => step)
  return new Set(own).size < own.length
}
