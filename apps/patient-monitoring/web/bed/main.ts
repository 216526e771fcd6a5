// The page of one bed: how it stands now, its courses over two days and down to an hour, its alarms.

import type { Row } from '../board/tile.js'
import { button, make, say } from '../page/dom.js'
import { head } from '../page/head.js'
import { LiveSource } from '../page/live.js'
import { bedInPath, place, placed } from '../page/place.js'
import { ask, Refused, type SessionView } from '../page/request.js'
import { session } from '../page/server.js'
import { staleBar } from '../page/stale.js'
import { dayAndTimeOf, plural, riskInWords, signs, trendInWords } from '../page/words.js'
import { type Alarm, AlarmList } from './alarms.js'
import { chartsOf, type Points, type Scores } from './charts.js'
import { type Limits, PatientLine } from './patient.js'
import { around, grainOf, lengths, moved, type Span, spanOf, wholeStay } from './span.js'

const hourMs = 3_600_000
const minuteMs = 60_000
/** Readings may come many times in a second; a course of hours need not be drawn so often. */
const betweenMs = 2_000
/** Where it fails again and again. */
const againMsMax = 30_000

class Bed {
  readonly #bed: string
  readonly #alarms: AlarmList
  readonly #now = make('section', { class: 'standing', 'aria-label': 'Now' })
  readonly #patient = new PatientLine()
  readonly #charts = make('div', { class: 'charts' })
  readonly #which = make('p', { class: 'which', role: 'status' })
  readonly #lengths = make('div', { class: 'group', role: 'group', 'aria-label': 'Time' })
  readonly #later = button('Later →', () => this.#look(moved(this.#span, 1, Date.now())))
  readonly #stale = staleBar()
  /** Of charts and alarms, which are asked for by themselves. */
  readonly #staleCharts = staleBar('Charts and alarms: ')
  #row: Row | undefined
  #span: Span = wholeStay
  #loading = false
  #isDue = false
  /** When charts and alarms came last. */
  #cameMs: number | null = null
  #failures = 0
  /** The server has said that there is nothing to be seen here. */
  #isRefused = false

  constructor(bed: string) {
    this.#bed = bed
    this.#alarms = new AlarmList(bed)
  }

  async start(): Promise<void> {
    document.title = `Bed ${this.#bed}`
    const guest = await session()
    const back = make('a', { href: `/wards/${encodeURIComponent(guest.ward)}` }, `← Ward ${guest.ward}`)
    for (const length of lengths)
      this.#lengths.append(
        button(`${length / hourMs} h`, () => this.#look({ ...this.#span, lengthMs: length }), {
          'data-length': length,
        }),
      )
    const earlier = button('← Earlier', () => this.#look(moved(this.#span, -1, Date.now())))
    document.body.prepend(
      head(make('h1', {}, `Bed ${this.#bed}`), guest, back),
      this.#stale.element,
      this.#now,
      this.#staleCharts.element,
      make(
        'main',
        {},
        this.#patient.element,
        make(
          'div',
          { class: 'times' },
          this.#lengths,
          make('div', { class: 'group' }, earlier, this.#later),
          this.#which,
        ),
        this.#charts,
        make(
          'p',
          { class: 'faint key' },
          'Line: mean; band: lowest to highest; ×: artefact, in no mean; □: came too late, and so no alarm; flags: alarms. Click a chart, or choose hours and go earlier or later, to look closer.',
        ),
        this.#alarms.element,
      ),
    )
    this.#look(spanOf(placed('hours'), placed('until')))
    this.#follow(guest)
  }

  #follow({ ward }: SessionView): void {
    const live = new LiveSource<Row>(`/api/live/wards/${encodeURIComponent(ward)}`, {
      keyOf: ({ bed }) => bed,
      fresh: this.#stale.say,
      show: ({ rows, changed }) => {
        if (!changed.has(this.#bed)) return
        const row = rows.get(this.#bed)
        this.#row = row
        if (row !== undefined) this.#now.replaceChildren(...standing(row))
        this.#due()
      },
    })
    live.start()
  }

  #look(span: Span): void {
    this.#span = span
    place({
      hours: span.lengthMs === wholeStay.lengthMs ? null : String(span.lengthMs / hourMs),
      until: span.endMs === null ? null : new Date(span.endMs).toISOString(),
    })
    for (const each of this.#lengths.children)
      each.setAttribute(
        'aria-pressed',
        String((each as HTMLElement).dataset['length'] === String(span.lengthMs)),
      )
    this.#later.disabled = span.endMs === null
    this.#due()
  }

  /** One question at a time; what comes meanwhile makes one more. What fails is asked again by itself. */
  #due(): void {
    this.#isDue = true
    if (this.#loading || this.#isRefused) return
    this.#loading = true
    void this.#load()
      .then(
        () => this.#came(),
        (error: unknown) => this.#failed(error),
      )
      .finally(() =>
        setTimeout(
          () => {
            this.#loading = false
            if (this.#isDue) this.#due()
          },
          Math.min(againMsMax, betweenMs * 2 ** this.#failures),
        ),
      )
  }

  #came(): void {
    this.#cameMs = Date.now()
    this.#failures = 0
    this.#staleCharts.say(true, this.#cameMs)
  }

  #failed(error: unknown): void {
    this.#failures += 1
    this.#isDue = true
    const isRefusal = error instanceof Refused && (error.status === 403 || error.status === 404)
    // Charts of before stay, and are said to be old. Of a bed that is of others, or that nobody has heard of, there are none.
    if (!isRefusal || this.#cameMs !== null) return this.#staleCharts.say(false, this.#cameMs)
    // One of which nothing was heard may speak yet; another ward's stays another ward's.
    this.#isRefused = error.status === 403
    this.#charts.replaceChildren(make('p', { role: 'alert' }, refusalOf(error, this.#bed)))
  }

  async #load(): Promise<void> {
    this.#isDue = false
    const span = this.#span
    const grain = grainOf(span)
    const toMs = span.endMs ?? Date.now()
    const fromMs = toMs - span.lengthMs
    const grainMs = grain === 'hour' ? hourMs : minuteMs
    const base = `/api/beds/${encodeURIComponent(this.#bed)}`
    // The score at the beginning was told before it: the longest look reaches far enough.
    const scoresFrom = new Date(fromMs - lengths[0]).toISOString()
    const times = new URLSearchParams({
      span: grain,
      from: new Date(Math.floor(fromMs / grainMs) * grainMs).toISOString(),
      to: new Date(toMs).toISOString(),
    })
    const [points, scores, alarms, limits] = await Promise.all([
      ask<Points>(`${base}/charts?${times}`),
      ask<Scores>(`${base}/scores?from=${scoresFrom}`),
      ask<readonly Alarm[]>(`${base}/alarms`),
      ask<Limits>(`${base}/limits`),
    ])
    // Somebody has looked elsewhere meanwhile.
    if (span !== this.#span) return this.#due()
    const isLeast = (this.#row?.missing.length ?? 0) > 0
    const zoom = (atMs: number) => this.#look(around(this.#span, atMs, Date.now()))
    this.#charts.replaceChildren(
      ...chartsOf({ points, scores, alarms, isLeast }, { fromMs, toMs, grainMs, zoom }),
    )
    this.#alarms.show(alarms)
    this.#patient.show(limits)
    say(
      this.#which,
      `${dayAndTimeOf(fromMs)} – ${span.endMs === null ? 'now' : dayAndTimeOf(toMs)}, by the ${grain}`,
    )
  }
}

const refusalOf = ({ status, message }: Refused, bed: string) =>
  status === 404 ? `Nothing was heard of a bed ${bed} so far.` : `Bed ${bed} is not shown: ${message}`

function* standing({ score, response, missing, trend, alarms }: Row): Generator<HTMLElement> {
  const known = score === null ? 'not known' : `${missing.length > 0 ? '≥ ' : ''}${score}`
  yield make(
    'p',
    { class: 'news' },
    'NEWS2 ',
    make('b', {}, known),
    score === null
      ? ''
      : ` · ${riskInWords(response, missing)} · ${trendInWords(trend)}${missing.length > 0 ? ` · without ${missing.join(', ')}` : ''}`,
  )
  yield make(
    'ul',
    {},
    ...(alarms.length === 0 ? [make('li', { class: 'faint' }, 'No alarm stands')] : []),
    ...alarms.map(({ priority, text, acknowledgedBy }) =>
      make(
        'li',
        {},
        make('span', { class: `badge ${priority}` }, `${signs[priority]} ${priority}`),
        ` ${text} · ${acknowledgedBy === null ? 'unanswered' : `✓ ${acknowledgedBy}`}`,
      ),
    ),
  )
  yield make('p', { class: 'unseen', role: 'status' }, plural(alarms.length, 'alarm'))
}

const bed = bedInPath()
void new Bed(bed).start()
