// One bed on the board: made once, then written where something is another.
import type { BoardRow } from '../../src/views.js'
import { dress, make, say } from '../page/dom.js'
import { age, riskInWords, signs, trendInWords, trendOf } from '../page/words.js'

/** As JSON has it. */
export type Row = Omit<BoardRow, 'lastReadingAt'> & { readonly lastReadingAt: string | null }

export const isSilent = ({ alarms }: Row) => alarms.some(({ rule }) => rule === 'device-silent')

/** The most urgent that nobody has in hand. */
export const openAlarm = ({ alarms }: Row) => alarms.find(({ acknowledgedBy }) => acknowledgedBy === null)

export class Tile {
  readonly element: HTMLAnchorElement
  readonly #bed = make('span', { class: 'bed' })
  readonly #score = make('b')
  readonly #trend = make('span')
  readonly #trendWords = make('span', { class: 'unseen' })
  readonly #band = make('span', { class: 'band' })
  readonly #says = make('span', { class: 'says' })
  readonly #seen = make('span', { class: 'seen' })
  readonly #age = make('span', { class: 'age' })

  constructor(bed: string) {
    this.#bed.textContent = bed
    const scoreName = make('span', { class: 'unseen' }, ', score ')
    this.element = make(
      'a',
      { class: 'tile', href: `/beds/${encodeURIComponent(bed)}` },
      this.#bed,
      make('span', { class: 'score' }, scoreName, this.#score, ' ', this.#trend, this.#trendWords),
      this.#band,
      this.#says,
      make('span', { class: 'foot' }, this.#seen, this.#age),
    )
  }

  show(row: Row, nowMs: number): void {
    const { score, response, missing, trend, alarms, lastReadingAt } = row
    const silent = isSilent(row)
    const [worst] = alarms
    dress(this.element, ['tile', standing(row), silent ? 'silent' : ''].join(' ').trim())
    say(this.#score, score === null ? '–' : `${missing.length > 0 ? '≥' : ''}${score}`)
    say(this.#trend, score === null ? '' : trendOf(trend))
    say(this.#trendWords, score === null ? ' not known' : `, ${trendInWords(trend)}`)
    say(this.#band, riskInWords(response, missing))
    say(
      this.#says,
      worst === undefined
        ? ''
        : `${signs[worst.priority]} ${worst.priority}: ${worst.text}${alarms.length > 1 ? ` +${alarms.length - 1}` : ''}`,
    )
    say(this.#seen, worst === undefined ? '' : seenBy(row))
    const since = lastReadingAt === null ? 'no reading' : age(Math.max(0, nowMs - Date.parse(lastReadingAt)))
    say(this.#age, silent ? `silent ${since}` : since)
  }
}

function standing(row: Row): string {
  const [worst] = row.alarms
  if (worst === undefined) return row.score === null ? 'unknown' : 'steady'
  // The colour is that of the worst; filled as long as any waits for somebody.
  return openAlarm(row) === undefined ? worst.priority : `${worst.priority} open`
}

function seenBy(row: Row): string {
  const open = row.alarms.filter(({ acknowledgedBy }) => acknowledgedBy === null).length
  if (open > 0) return open === row.alarms.length ? 'no answer' : `${open} without`
  return `✓ ${row.alarms[0]?.acknowledgedBy ?? ''}`
}
