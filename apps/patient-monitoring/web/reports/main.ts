// The reports of a ward's shifts, the newest first: what the next shift wants to know.
import { type Priority, priorities } from '../../src/rules/limits.js'
import type { ShiftReport } from '../../src/views.js'
import { make } from '../page/dom.js'
import { head } from '../page/head.js'
import { wardInPath } from '../page/place.js'
import { ask, Refused } from '../page/request.js'
import { session } from '../page/server.js'
import { dayAndTimeOf, plural, signs, timeOf, trendInWords } from '../page/words.js'

/** As the function `report` writes it. */
interface Body {
  readonly beds: number
  readonly alarms:
    | (Readonly<Record<Priority, number>> & {
        readonly acknowledged: number
        readonly unanswered: number
        /** Null where nobody has acknowledged any. */
        readonly medianSecondsToAcknowledge: number | null
      })
    | null
  readonly rules: Readonly<Record<string, number>>
  readonly worst: readonly { readonly bed: string; readonly score: number; readonly trend: number }[]
}

interface Report extends Omit<ShiftReport, 'from' | 'to' | 'writtenAt' | 'body'> {
  readonly from: string
  readonly to: string
  readonly writtenAt: string
  readonly body: Body
}

async function start(ward: string): Promise<void> {
  document.title = `Shift reports, ward ${ward}`
  const guest = await session()
  const back = make('a', { href: `/wards/${encodeURIComponent(guest.ward)}` }, `← Ward ${guest.ward}`)
  const main = make('main', {})
  document.body.prepend(head(make('h1', {}, `Shift reports, ward ${ward}`), guest, back), main)
  try {
    const reports = await ask<readonly Report[]>(`/api/wards/${encodeURIComponent(ward)}/reports`)
    main.append(
      ...(reports.length === 0
        ? [make('p', {}, 'No shift has ended so far: a report is written at 6, 14 and 22 o’clock.')]
        : reports.map(shown)),
    )
  } catch (error) {
    const text =
      error instanceof Refused
        ? error.message
        : 'The reports cannot be read at the moment. Load the page again.'
    main.append(make('p', { role: 'alert' }, text))
  }
}

function shown({ from, to, writtenAt, body }: Report): HTMLElement {
  const { beds, alarms, rules, worst } = body
  return make(
    'article',
    { class: 'report' },
    make('h2', {}, `${dayAndTimeOf(from)} – ${timeOf(to)}`),
    make('p', { class: 'faint' }, `${plural(beds, 'bed')} · written ${dayAndTimeOf(writtenAt)}`),
    ...(alarms === null ? [] : alarmsOf(alarms)),
    table('Alarms by rule', ['Rule', 'Alarms'], ordered(rules)),
    table(
      'Highest NEWS2 at the end',
      ['Bed', 'Score'],
      worst.map(({ bed, score, trend }) => [
        make('a', { href: `/beds/${encodeURIComponent(bed)}` }, bed),
        `${score}, ${trendInWords(trend)}`,
      ]),
    ),
  )
}

function alarmsOf(alarms: NonNullable<Body['alarms']>): readonly HTMLElement[] {
  const { acknowledged, unanswered, medianSecondsToAcknowledge: median } = alarms
  const counts = priorities.map((each) =>
    make(
      'span',
      { class: `badge ${alarms[each] === 0 ? 'over' : each}` },
      `${signs[each]} ${alarms[each]} ${each}`,
    ),
  )
  const soon = median === null ? '' : `, half of them within ${Math.round(median)} s`
  return [
    make('p', { class: 'counts' }, ...counts),
    make('p', {}, `${acknowledged} acknowledged${soon}; ${unanswered} that nobody on duty answered in time`),
  ]
}

const ordered = (rules: Body['rules']): readonly (readonly [string, string])[] =>
  Object.entries(rules)
    .sort(([, one], [, other]) => other - one)
    .map(([rule, count]) => [rule.replaceAll('-', ' '), String(count)])

/** Null where it would have no row. */
function table(
  caption: string,
  names: readonly string[],
  rows: readonly (readonly (string | HTMLElement)[])[],
): HTMLElement | null {
  if (rows.length === 0) return null
  return make(
    'table',
    {},
    make('caption', {}, caption),
    make('thead', {}, make('tr', {}, ...names.map((name) => make('th', { scope: 'col' }, name)))),
    make('tbody', {}, ...rows.map((cells) => make('tr', {}, ...cells.map((cell) => make('td', {}, cell))))),
  )
}

void start(wardInPath())
