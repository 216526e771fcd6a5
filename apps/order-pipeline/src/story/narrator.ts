// Tells the story to a person. What is said stays; what is in progress is one line that moves, on a terminal only.
import type { Redrive } from 'eventspine'
import picocolors from 'picocolors'
import {
  booksLines,
  deadLines,
  firstPassLines,
  incidentLines,
  redriveLines,
  suggestionsFor,
} from './chapters.js'
import type { Incident } from './incidents.js'
import type { Tally } from './ledger.js'
import type { FirstPass, Listener, Story } from './live.js'

/** What it writes to: standard output, or anything like it. */
export interface Screen {
  readonly isTTY?: boolean
  write(text: string): unknown
}

export class Narrator implements Listener {
  readonly #screen: Screen
  readonly #moves: boolean
  readonly #colors: ReturnType<typeof picocolors.createColors>

  /** Colours on a terminal, unless `noColor`. */
  constructor(screen: Screen, noColor: boolean) {
    this.#screen = screen
    this.#moves = screen.isTTY === true
    this.#colors = picocolors.createColors(this.#moves && !noColor)
  }

  opening(): void {
    this.title('Eventspine · order pipeline')
    this.say('validate → publish → idempotency → process → events', '')
  }

  title(text: string): void {
    this.say('', this.#colors.bold(text), '')
  }

  done(text: string): void {
    this.say(`${this.#colors.green('✓')} ${text}`)
  }

  say(...lines: readonly string[]): void {
    this.progress('')
    for (const line of lines) this.#screen.write(line === '' ? '\n' : `  ${line}\n`)
  }

  /** Takes the place of the last progress. The empty text removes it. */
  progress(text: string): void {
    if (this.#moves) this.#screen.write(`\r\u001b[2K${text === '' ? '' : `  ${this.#colors.dim(text)}`}`)
  }

  posting(done: number, total: number): void {
    this.progress(`posting invoices ${bar(done, total)} ${done} of ${total}`)
  }

  working(tally: Tally): void {
    this.progress(`in work ${moving(tally)}`)
  }

  redriving({ selected, succeeded, failed }: Redrive): void {
    this.progress(`redriving ${bar(succeeded + failed, selected)} ${succeeded} of ${selected} home`)
  }

  settled(firstPass: FirstPass): void {
    this.title('First pass')
    this.say(...firstPassLines(firstPass))
  }

  finished(story: Story): void {
    this.title('What went wrong, and what it led to')
    const [header = '', ...rows] = incidentLines(story.incidents)
    const colored = rows.map((row, index) =>
      isHome(story.incidents[index]) ? row : this.#colors.yellow(row),
    )
    this.say(this.#colors.dim(header), ...colored, '', ...redriveLines(story))
    if (story.dead.length > 0) {
      this.title('Still dead, and rightly so: each breaks a rule of the business')
      this.say(...deadLines(story.dead))
    }
    this.title('The books')
    this.say(...booksLines(story))
    this.say('')
  }

  /** From here on nothing happens by itself. */
  serving(story: Story, { url, key }: { readonly url: string; readonly key: string }): void {
    this.say(this.#colors.bold('What to try next'), '')
    for (const { shows, command } of suggestionsFor(story, url))
      this.say(this.#colors.dim(shows), `  ${command}`)
    this.say(
      '',
      `See all of it in the console: ${url}/console/#key=${key}`,
      '',
      `Serving ${url}. Ctrl-C stops.`,
    )
  }
}

const isHome = (incident: Incident | undefined) => incident?.home === incident?.invoices.length

function moving({ processed, cancelled, dead, waiting, inWork }: Tally): string {
  const done = processed + cancelled + dead + waiting
  return `${bar(done, done + inWork)} ${processed} processed · ${cancelled} cancelled · ${dead} dead · ${waiting} waiting`
}

const barWidth = 24

function bar(done: number, total: number): string {
  const filled = total === 0 ? 0 : Math.floor((done / total) * barWidth)
  return '━'.repeat(filled) + '╌'.repeat(barWidth - filled)
}
