// How the questions to people stand, read from the history of the instance that asks them.
import { dataOf } from './history.js'
import type { Entry } from './port.js'
import type { SignalData } from './stimulus.js'

export interface Decided {
  readonly approved: boolean
  readonly by: string
  readonly reason: string | null
  readonly atMs: number
}

export type ApprovalStanding =
  /** It waits for a decision. */
  | ({ readonly kind: 'asks' } & Question)
  /** The last one under that name. */
  | ({ readonly kind: 'decided' } & Decided)
  /** The workflow has not come to it. */
  | { readonly kind: 'not-asked' }
  /** Nobody decided in time, or the workflow has ended. */
  | { readonly kind: 'over' }

interface Question {
  /** Which call of the workflow's code asks it, by its place in the history: a decision names it. */
  readonly question: string
  readonly to?: string
  readonly text?: string
  readonly askedAtMs: number
  /** When it waits no more, by the database's clock; null where it waits for as long as it takes. */
  readonly dueAtMs: number | null
}

export interface OpenQuestion extends Question {
  readonly approval: string
}

export interface Asked extends Question {
  readonly state: 'open' | 'over' | 'decided'
  readonly decided?: Decided
}

/** All that were asked under one name, the first one first. */
export function questionsOf(history: readonly Entry[], approval: string): readonly Asked[] {
  const asked = new Map<string, Asked>()
  const close = (place: string, decided?: Decided) => {
    const question = asked.get(place)
    if (question?.state !== 'open') return
    asked.set(
      place,
      decided === undefined ? { ...question, state: 'over' } : { ...question, state: 'decided', decided },
    )
  }
  const due = (place: string, dueAtMs: number) => {
    const question = asked.get(place)
    if (question !== undefined) asked.set(place, { ...question, dueAtMs })
  }
  for (const entry of history) {
    const { kind, name, place, atMs } = entry
    if (kind === 'asked' && name === approval)
      asked.set(place, {
        question: place,
        ...dataOf<object>(entry),
        ...{ askedAtMs: atMs, dueAtMs: null, state: 'open' },
      })
    else if (kind === 'timer-set') due(place, dataOf<{ readonly dueAtMs: number }>(entry).dueAtMs)
    else if (kind === 'timer-fired' || kind === 'withdrawn') close(place)
    else if (kind === 'compensating' || kind === 'ended') for (const each of asked.keys()) close(each)
    else if (kind === 'signal' && name === approval) {
      const { question, dropped, payload } = dataOf<Answered>(entry)
      if (question !== undefined && dropped !== true) close(question, payload)
    }
  }
  return [...asked.values()]
}

/** Those that wait for a decision, under whatever name. */
export function openQuestions(history: readonly Entry[]): readonly OpenQuestion[] {
  const names = new Set(history.filter(({ kind }) => kind === 'asked').map(({ name }) => name))
  return [...names].flatMap((approval) =>
    questionsOf(history, approval)
      .filter(({ state }) => state === 'open')
      .map(({ state: _, ...question }) => ({ approval, ...question })),
  )
}

/** `approval` is its name. */
export function standingOf(history: readonly Entry[], approval: string): ApprovalStanding {
  const questions = questionsOf(history, approval)
  const open = questions.find(({ state }) => state === 'open')
  if (open !== undefined) {
    const { state: _, ...question } = open
    return { kind: 'asks', ...question }
  }
  const [last] = questions.flatMap(({ decided }) => decided ?? []).sort((one, other) => other.atMs - one.atMs)
  if (last !== undefined) return { kind: 'decided', ...last }
  const isOver = history.some(({ kind }) => kind === 'compensating' || kind === 'ended')
  return questions.length > 0 || isOver ? { kind: 'over' } : { kind: 'not-asked' }
}

type Answered = Pick<SignalData, 'question' | 'dropped'> & { readonly payload: Decided }
