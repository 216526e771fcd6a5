// How a question to a person stands, read from the history of the instance that asks it.
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
  | {
      readonly kind: 'asks'
      /** Which call of the workflow's code asks it: a decision by a link names it. */
      readonly question: string
      readonly to?: string
      readonly text?: string
      readonly askedAtMs: number
    }
  /** The last one under that name. */
  | ({ readonly kind: 'decided' } & Decided)
  /** The workflow has not come to it. */
  | { readonly kind: 'not-asked' }
  /** Nobody decided in time, or the workflow has ended. */
  | { readonly kind: 'over' }

type Question = Extract<ApprovalStanding, { readonly kind: 'asks' }>

/** `approval` is its name. A question whose answer was there before it is never asked. */
export function standingOf(history: readonly Entry[], approval: string): ApprovalStanding {
  const open = new Map<string, Question>()
  let asked = false
  let last: Decided | undefined
  let over = false
  for (const entry of history) {
    const { kind, place, atMs } = entry
    if (kind === 'asked' && entry.name === approval) {
      asked = true
      open.set(place, { kind: 'asks', question: place, ...dataOf<object>(entry), askedAtMs: atMs })
    } else if (kind === 'timer-fired' || kind === 'withdrawn') open.delete(place)
    else if (kind === 'compensating' || kind === 'ended') over = true
    else if (kind === 'signal' && entry.name === approval) {
      const { payload, approval: decides, link, dropped } = dataOf<Answered>(entry)
      if (decides !== true || dropped === true) continue
      const [oldest] = open.keys()
      // One that nobody waits for is kept, and decides what is asked next.
      if (oldest !== undefined || last === undefined) last = payload
      open.delete(link ?? oldest ?? '')
    }
  }
  const [question] = open.values()
  if (!over && question !== undefined) return question
  if (last !== undefined) return { kind: 'decided', ...last }
  return asked || over ? { kind: 'over' } : { kind: 'not-asked' }
}

type Answered = Pick<SignalData, 'approval' | 'link' | 'dropped'> & { readonly payload: Decided }
