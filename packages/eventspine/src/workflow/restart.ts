// A new instance that goes on from a step of another: with what that one was told and answered before it.
import { EventspineError } from '../kernel/index.js'
import { dataOf, type History } from './history.js'
import type { Entry } from './port.js'

export interface Restart {
  readonly of: string
  /** From whose name chance is drawn: the code must draw what it drew then. */
  readonly root: string
  /** From where it looks for events: what came while the other one failed is still to be found. */
  readonly since: string
  /** The entries of the other one before this one are taken over. */
  readonly upTo: number
  readonly from: string | null
  readonly by: string
}

interface Started {
  readonly input: unknown
  readonly event: string
  readonly cause?: string
  readonly restart?: Restart
}

/** The event behind which those lie that an instance waits for: that which led to its start. */
export function sinceOf(history: readonly Entry[]): string {
  const [first] = history
  if (first === undefined) return ''
  const { restart, cause, event } = dataOf<Started>(first)
  return restart?.since ?? cause ?? event
}

/** What the start of it says. Throws NOT_FOUND where there is no such step. */
export function restartOf(
  history: readonly Entry[],
  id: string,
  from: string | undefined,
  by: string,
): { readonly input: unknown; readonly restart: Restart } {
  const started = dataOf<Started>(history[0] as Entry)
  const upTo = from === undefined ? 1 : placeOf(history, from)
  const root = started.restart?.root ?? id
  const since = sinceOf(history)
  return { input: started.input, restart: { of: id, root, since, upTo, from: from ?? null, by } }
}

const ofSteps: ReadonlySet<string> = new Set([
  'step-begun',
  'step-failed',
  'step-done',
  'step-claimed',
  'step-dead',
])

function placeOf(history: readonly Entry[], from: string): number {
  const steps = history.filter(({ kind }) => ofSteps.has(kind))
  const first = steps.find(({ name, place }) => name === from || place === from)
  if (first !== undefined) return first.position
  const known = [...new Set(steps.map(({ name, place }) => `${name} (${place})`))].join(', ')
  throw new EventspineError(
    'NOT_FOUND',
    `It never came to a step "${from}". Its steps: ${known || 'none'}. Name one, or its place.`,
    { field: '/from' },
  )
}

const answers: ReadonlySet<string> = new Set([
  ...['step-done', 'step-claimed', 'step-dead', 'timer-fired', 'occurred', 'child-ended', 'published'],
])

// A decision by a link answers the question at its place.
const isAnswer = ({ kind, place }: Entry) => answers.has(kind) || (kind === 'signal' && place !== '')

/** Adds what is taken over. What was not answered by then is asked anew. */
export function takeOver(history: History, { upTo }: Restart, entries: readonly Entry[]): void {
  const before = entries.slice(1, upTo)
  const answered = new Set(before.filter(isAnswer).map(({ place }) => place))
  for (const { kind, place, name, data: json, atMs } of before)
    if (kind === 'signal' || answered.has(place)) history.append({ kind, place, name, json }, atMs)
}
