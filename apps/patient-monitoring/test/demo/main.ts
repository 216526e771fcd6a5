// `npm run demo:ward [-- --full | --tiny | --minutes N] [--beds N] [--only CHAPTER,…] [--json] [--write]`: an alarm reaches its person, whatever else
// fails. Small by default; `--write` draws the pictures of the app's README.
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { chapters, type Figure, full, type Sizes, small, tiny } from './chapters.js'
import { drawn } from './drawing.js'
import { faults } from './kills.js'
import { commit, machine } from './machine.js'
import { Progress } from './progress.js'
import { readStays } from './stream.js'

const usage =
  'npm run demo:ward -- [--full | --tiny | --minutes N] [--beds N] [--only CHAPTER,…] [--json] [--write]'
const smallMinutes = 5
const pictures = new URL('../../docs/', import.meta.url)

const { values } = orUsage(() =>
  parseArgs({
    options: {
      full: { type: 'boolean', default: false },
      tiny: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      beds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }),
)

/** What is not known is said, with what is. */
function orUsage<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
    process.exit(1)
  }
}

function sizes(): Sizes {
  const size = values.full ? full : values.tiny ? tiny : small
  const times = values.minutes === undefined ? 1 : positive('minutes', values.minutes) / smallMinutes
  const beds = values.beds === undefined ? {} : { beds: positive('beds', values.beds) }
  const stretched = Object.entries(size).map(([name, value]) => [
    name,
    name.endsWith('Seconds') ? Math.max(1, Math.round(value * times)) : value,
  ])
  return { ...(Object.fromEntries(stretched) as Sizes), ...beds }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new RangeError(`--${name} takes a whole number above zero, not "${text}"`)
}

function asked(): readonly string[] {
  const names = values.only?.split(',') ?? Object.keys(chapters)
  const unknown = names.find((name) => !(name in chapters))
  if (unknown === undefined) return names
  throw new RangeError(`--only takes ${Object.keys(chapters).join(', ')}, not "${unknown}"`)
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(`${usage}\nChapters: ${Object.keys(chapters).join(', ')}\n`)
    return 0
  }
  const [size, names] = [sizes(), asked()]
  const progress = new Progress()
  const all: Figure[] = []
  try {
    const stays = await readStays()
    for (const name of names) {
      const chapter = chapters[name] as (typeof chapters)[string]
      const { figures, courses = [] } = await chapter({
        ...{ sizes: size, stays },
        say: (words) => progress.say(`${name}: ${words}`),
      })
      all.push(...figures)
      for (const figure of figures) print(figure)
      if (values.write) for (const [file, title, course] of courses) picture(file, drawn(title, course))
    }
  } finally {
    progress.stop()
  }
  if (!values.json) {
    process.stdout.write(`\n${commit()} · ${machine()}\n`)
    process.stdout.write('Dense streams are interpolated between the values of real recordings.\n')
    process.stdout.write(
      'In day, beds and ceiling the beds are admitted first: that is the line "admission", and no part of those behind it.\n',
    )
  }
  return verdict(all)
}

function picture(name: string, svg: string): void {
  mkdirSync(pictures, { recursive: true })
  writeFileSync(new URL(`${name}.svg`, pictures), svg)
}

function print(figure: Figure): void {
  if (values.json) {
    process.stdout.write(`${JSON.stringify(figure)}\n`)
    return
  }
  const { chapter, ...rest } = figure
  const shown = Object.entries(rest).map(([name, value]) => `${name} ${Number.isNaN(value) ? '–' : value}`)
  process.stdout.write(`\r${chapter.padEnd(11)} ${shown.join(', ')}\n`)
}

/** Wrong alarms are a failure on any machine. Late ones are a figure. */
function verdict(figures: readonly Figure[]): number {
  const wrong = figures.filter(
    (figure) => figure.chapter === 'kills' && faults.some((name) => figure[name] !== 0),
  )
  if (wrong.length > 0) process.stderr.write('The alarms are not those that the readings imply.\n')
  if (figures.some(({ rejected }) => rejected))
    process.stderr.write('Figures marked "rejected": the generator was late. Measure on a quiet machine.\n')
  return wrong.length > 0 ? 1 : 0
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
    process.exitCode = 1
  },
)
