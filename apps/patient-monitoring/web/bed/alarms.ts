// The alarms of a bed: what, when, who has it; and of one, what became of it.
import type { AlarmRow, AlarmStep } from '../../src/views.js'
import { make, patch, say } from '../page/dom.js'
import { ask } from '../page/request.js'
import { dayAndTimeOf, signs, whenOf } from '../page/words.js'

type Json<Row> = {
  readonly [Name in keyof Row]: Row[Name] extends Date | null ? string | Extract<Row[Name], null> : Row[Name]
}

export type Alarm = Json<AlarmRow>
type Step = Json<AlarmStep>

const shownMax = 60

export class AlarmList {
  readonly element = make('section', { class: 'alarms', 'aria-label': 'Alarms' })
  readonly #bed: string
  readonly #list = make('ol')
  readonly #count = make('h2')

  constructor(bed: string) {
    this.#bed = bed
    this.element.append(this.#count, this.#list)
  }

  show(alarms: readonly Alarm[]): void {
    say(this.#count, alarms.length > shownMax ? `Alarms, the last ${shownMax}` : `Alarms (${alarms.length})`)
    patch(
      this.#list,
      alarms.slice(0, shownMax),
      ({ id }) => id,
      (alarm) => this.#create(alarm),
      (element, alarm) => {
        const state = element.querySelector('.state')
        if (state !== null) say(state, stateOf(alarm))
        element.className = alarm.endedAt === null ? 'stands' : 'over'
      },
    )
  }

  #create({ id, priority, text, value, raisedAt }: Alarm): HTMLElement {
    const steps = make('ol', { class: 'steps' })
    const details = make(
      'details',
      {},
      make(
        'summary',
        {},
        make('span', { class: `badge ${priority}` }, `${signs[priority]} ${priority}`),
        make('span', { class: 'text' }, value === null ? text : `${text}: ${value}`),
        make('span', { class: 'faint' }, dayAndTimeOf(raisedAt)),
        make('span', { class: 'state' }),
      ),
      steps,
    )
    details.addEventListener('toggle', () => void (details.open && this.#open(id, steps)))
    return make('li', {}, details)
  }

  async #open(id: string, list: HTMLElement): Promise<void> {
    const path = `/api/beds/${encodeURIComponent(this.#bed)}/alarms/${encodeURIComponent(id)}/steps`
    try {
      const steps = await ask<readonly Step[]>(path)
      list.replaceChildren(
        ...steps.map(({ at, what, person, detail }) =>
          make('li', {}, [whenOf(at, Date.now()), words(what), person, detail].filter(Boolean).join(' · ')),
        ),
      )
    } catch {
      list.replaceChildren(make('li', {}, 'This cannot be read at the moment. Open it again.'))
    }
  }
}

const words = (what: string) => what.replaceAll('-', ' ')

function stateOf({ acknowledgedBy, acknowledgedAt, endedAt }: Alarm): string {
  const seen =
    acknowledgedBy === null ? 'unanswered' : `✓ ${acknowledgedBy}, ${whenOf(acknowledgedAt ?? 0, Date.now())}`
  return endedAt === null ? `stands · ${seen}` : `over · ${seen}`
}
