// The board of a ward: a tile for each bed, always at its place, and above them what nobody has in hand.
import { type Priority, priorities } from '../../src/rules/limits.js'
import { button, make, patch, say } from '../page/dom.js'
import { head } from '../page/head.js'
import { type LiveRows, LiveSource } from '../page/live.js'
import { wardInPath } from '../page/place.js'
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
/** Tiles written in one frame: a burst is spread over several, so that none is late. */
const tilesPerFrame = 80

class Board {
  readonly #tiles = new Map<string, Tile>()
  readonly #beds = make('main', { class: 'beds', 'aria-label': 'Beds' })
  readonly #counts = new Map(priorities.map((each) => [each, make('span')]))
  readonly #attention = make('ol')
  readonly #waiting = make('p', { class: 'faint' })
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
    const title = make('h1', {}, `Ward ${ward}`)
    const counts = make(
      'div',
      { class: 'counts' },
      ...priorities.map((each) => this.#counts.get(each) ?? null),
    )
    const reports = make('a', { href: `/wards/${encodeURIComponent(ward)}/reports` }, 'Shift reports')
    document.body.prepend(
      head(title, guest, counts, this.#filters(), reports),
      this.#stale.element,
      make(
        'section',
        { class: 'attention', 'aria-label': 'Unanswered alarms' },
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
      group.append(
        button(
          text,
          () => {
            this.#beds.className = `beds ${name}`
            for (const each of group.children)
              each.setAttribute('aria-pressed', String(each.textContent === text))
          },
          { 'aria-pressed': String(name === 'all') },
        ),
      )
    return group
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
        ? `Nothing unanswered in ${plural(rows.length, 'bed')}`
        : `${open.length} unanswered${more}`,
    )
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
