// One alarm on the phone: large enough to be read while walking, and one button.
import { button, make, say } from '../page/dom.js'
import { signs, whenOf } from '../page/words.js'
import type { PhoneAlarm } from './store.js'

export interface Shown extends PhoneAlarm {
  /** Acknowledged here, and not at the server so far. */
  readonly isWaiting: boolean
}

export function card({ bed, priority, text, raisedAt }: Shown, acknowledge: () => unknown): HTMLElement {
  return make(
    'li',
    { class: 'card' },
    make('span', { class: `badge ${priority}` }, `${signs[priority]} ${priority}`),
    make('time', { class: 'faint', datetime: raisedAt }, whenOf(raisedAt, Date.now())),
    make('strong', {}, `Bed ${bed}`),
    make('span', { class: 'text' }, text),
    make('span', { class: 'state' }),
    button('I am on it', acknowledge, { class: 'main', 'aria-label': `I am on it: bed ${bed}, ${text}` }),
  )
}

export function show(element: HTMLElement, alarm: Shown): void {
  const state = element.querySelector('.state')
  if (state !== null) say(state, stateOf(alarm))
  const answer = element.querySelector('button')
  if (answer !== null) answer.hidden = alarm.acknowledgedBy !== null || alarm.isWaiting
  element.className = `card ${alarm.priority} ${alarm.stands ? 'stands' : 'over'}`
}

function stateOf({ acknowledgedBy, acknowledgedAt, isWaiting, stands }: Shown): string {
  const course = stands ? 'Still so' : 'Over'
  if (acknowledgedBy !== null)
    return `${course} · ✓ ${acknowledgedBy}, ${whenOf(acknowledgedAt ?? 0, Date.now())}`
  return isWaiting ? `${course} · yours, not sent yet: it goes out when there is a network` : course
}
