// The board of a ward: a tile for each bed, always at its place, and above them what nobody has in hand.
import { type Priority, priorities } from '../../src/rules/limits.js'
import { button, make, patch, say } from '../page/dom.js'
import { head } from '../page/head.js'
import { type LiveRows, LiveSource } from '../page/live.js'
import { place, placed, wardInPath } from '../page/place.js'
import type { SessionView } from '../page/request.js'
import { session } from '../page/server.js'
import { staleBar } from '../page/stale.js'
import { plural, signs, whenOf } from '../page/words.js'
import { openAlarm, type Row, Tile } from './tile.js'

const filters = {
  all: 'All beds',
  alarms: 'With alarms',
  unanswered: 'Unanswered',
  silence: 'Silent',
} as const
const attentionMax = 6
const tickMs = 5_000
/** A ward in which nothing was measured for so long is told what was. */
const pastMsMin = 3_600_000
/** Tiles written in one frame: a burst is spread over several, so that none is late. */
const tilesPerFrame = 80

class Board {
  readonly #tiles = new Map<string, Tile>()
  readonly #beds = make('main', { class: 'beds', 'aria-label': 'Beds' })
  readonly #counts = new Map(priorities.map((each) => [each, make('span')]))
  readonly #attention = make('ol')
  readonly #waiting = make('p', { class: 'faint' })
  readonly #past = make('p', { hidden: true })
  readonly #spoken = make('p', { class: 'unseen', role: 'status' })
  readonly #stale = staleBar()
  readonly #live: LiveSource<Row>
  readonly #due = new Set<string>()
  #rows: ReadonlyMap<string, Row> = new Map()
  #told = new Set<string>()
  #isFirst = true
  #frame = 0

  constructor(ward: string) {
    this.#live = new LiveSource<Row>(`/api/live/wards/${encodeURIComponent(ward)}`, {
      keyOf: ({ bed }) => bed,
      show: (live) => this.#show(live),
      fresh: this.#stale.say,
    })
  }

  async start(ward: string): Promise<void> {
    document.title = `Ward ${ward}`
    const guest = await session()
    if (guest.ward !== ward) return refuse(ward, guest)
    const title = make('h1', {}, `Ward ${ward}`)
    const counts = make(
      'div',
      { class: 'counts', role: 'group', 'aria-label': 'Beds by their worst alarm' },
      make('span', { class: 'faint' }, 'Beds'),
      ...priorities.map((each) => this.#counts.get(each) ?? null),
    )
    const reports = make('a', { href: `/wards/${encodeURIComponent(ward)}/reports` }, 'Shift reports')
    document.body.prepend(
      head(title, guest, counts, this.#filters(), reports),
      this.#stale.element,
      make(
        'section',
        { class: 'attention', 'aria-label': 'Unanswered alarms' },
        this.#past,
        this.#waiting,
        this.#attention,
      ),
      this.#spoken,
      this.#beds,
      legend(),
    )
    this.#live.start()
    setInterval(() => this.#tick(), tickMs)
  }

  #filters(): HTMLElement {
    const group = make('div', { class: 'group', role: 'group', 'aria-label': 'Show' })
    for (const [name, text] of Object.entries(filters))
      group.append(button(text, () => this.#filter(group, name), { 'data-filter': name }))
    this.#filter(group, placed('show') ?? 'all')
    return group
  }

  /** The address has it, so that it can be kept and loaded again. */
  #filter(group: HTMLElement, name: string): void {
    const known = name in filters ? name : 'all'
    this.#beds.className = `beds ${known}`
    place({ show: known === 'all' ? null : known })
    for (const each of group.children)
      each.setAttribute('aria-pressed', String((each as HTMLElement).dataset['filter'] === known))
  }

  #show({ rows, changed }: LiveRows<Row>): void {
    this.#rows = rows
    for (const bed of changed) this.#due.add(bed)
    if ([...changed].some((bed) => rows.has(bed) !== this.#tiles.has(bed))) this.#place()
    this.#summary()
    this.#frame ||= requestAnimationFrame(() => this.#write())
  }

  #write(): void {
    this.#frame = 0
    const nowMs = this.#live.now()
    let written = 0
    for (const bed of this.#due) {
      this.#due.delete(bed)
      const row = this.#rows.get(bed)
      if (row !== undefined) this.#tiles.get(bed)?.show(row, nowMs)
      if ((written += 1) >= tilesPerFrame) break
    }
    if (this.#due.size > 0) this.#frame = requestAnimationFrame(() => this.#write())
  }

  /** In the order of their names, 2 before 10: a bed has its place, whatever happens there. */
  #place(): void {
    const beds = [...this.#rows.keys()].sort((one, other) => byName.compare(one, other))
    for (const bed of this.#tiles.keys()) if (!this.#rows.has(bed)) this.#tiles.delete(bed)
    this.#beds.dataset['names'] = namesOf(beds)
    patch(
      this.#beds,
      beds,
      (bed) => bed,
      (bed) => {
        const tile = new Tile(bed)
        this.#tiles.set(bed, tile)
        return tile.element
      },
    )
  }

  #summary(): void {
    const rows = [...this.#rows.values()]
    for (const priority of priorities) {
      const count = rows.filter(({ alarms }) => alarms[0]?.priority === priority).length
      const badge = this.#counts.get(priority)
      if (badge === undefined) continue
      badge.className = `badge ${count === 0 ? 'none' : priority}`
      say(badge, `${signs[priority]} ${count} ${priority}`)
    }
    const open = rows
      .flatMap((row) => row.alarms.map((alarm) => ({ ...alarm, bed: row.bed })))
      .filter(({ acknowledgedBy }) => acknowledgedBy === null)
      .sort((a, b) => rank(a.priority) - rank(b.priority) || a.raisedAt.localeCompare(b.raisedAt))
    const more = open.length > attentionMax ? `, the first ${attentionMax} of them` : ''
    say(
      this.#waiting,
      open.length === 0
        ? rows.length === 0
          ? 'Nothing was heard of any bed in this ward so far'
          : `Nothing unanswered in ${plural(rows.length, 'bed')}`
        : `${plural(open.length, 'alarm')} unanswered${more}`,
    )
    const past = pastInWords(rows, this.#live.now())
    this.#past.hidden = past === ''
    say(this.#past, past)
    patch(this.#attention, open.slice(0, attentionMax), ({ id }) => id, attentionOf)
    this.#speak(rows)
  }

  /** What is new and urgent is said to whoever listens; not what stood there when the page came. */
  #speak(rows: readonly Row[]): void {
    const urgent = rows.flatMap((row) => {
      const open = openAlarm(row)
      return open?.priority === 'high' ? [{ id: open.id, text: `Bed ${row.bed}: ${open.text}` }] : []
    })
    const fresh = urgent.filter(({ id }) => !this.#told.has(id))
    this.#told = new Set(urgent.map(({ id }) => id))
    if (fresh.length > 0 && !this.#isFirst)
      say(
        this.#spoken,
        fresh
          .slice(0, attentionMax)
          .map(({ text }) => text)
          .join('. '),
      )
    this.#isFirst = false
  }

  /** Ages grow also where nothing comes. */
  #tick(): void {
    for (const bed of this.#tiles.keys()) this.#due.add(bed)
    this.#frame ||= requestAnimationFrame(() => this.#write())
  }
}

const [shortMax, longMax] = [8, 14]

/** How much room the names need: that of the longest. */
function namesOf(beds: readonly string[]): 'short' | 'long' | 'longest' {
  const characters = Math.max(0, ...beds.map((bed) => bed.length))
  return characters <= shortMax ? 'short' : characters <= longMax ? 'long' : 'longest'
}

function refuse(ward: string, guest: SessionView): void {
  const own = make('a', { href: `/wards/${encodeURIComponent(guest.ward)}` }, `Ward ${guest.ward}`)
  document.body.prepend(
    head(make('h1', {}, `Ward ${ward}`), guest, own),
    make('p', { class: 'attention', role: 'alert' }, `You have signed in for ward ${guest.ward} alone.`),
  )
}

/** Where devices catch up, or a recording is told, ages of hours are no fault of a tile. */
function pastInWords(rows: readonly Row[], nowMs: number): string {
  const newestMs = Math.max(0, ...rows.map(({ lastReadingAt }) => Date.parse(lastReadingAt ?? '') || 0))
  if (newestMs === 0 || nowMs - newestMs < pastMsMin) return ''
  return `The newest reading of the ward was taken ${whenOf(newestMs, nowMs)}: what comes in tells of then, and not of now.`
}

const byName = new Intl.Collator(undefined, { numeric: true })
const rank = (priority: Priority) => priorities.indexOf(priority)

const attentionOf = ({ bed, priority, text, raisedAt }: Row['alarms'][number] & { readonly bed: string }) =>
  make(
    'li',
    {},
    make('span', { class: `badge ${priority}` }, `${signs[priority]} ${priority}`),
    make('a', { href: `/beds/${encodeURIComponent(bed)}` }, `Bed ${bed}`),
    make('span', {}, `${text}, ${whenOf(raisedAt, Date.now())}`),
  )

const legend = () =>
  make(
    'footer',
    { class: 'legend faint' },
    'Filled: nobody has it in hand. NEWS2 ≥: parts of it are not known. Arrow: against an hour ago. Below right: age of the last reading. An example, and no medical device.',
  )

const ward = wardInPath()
void new Board(ward).start(ward)
