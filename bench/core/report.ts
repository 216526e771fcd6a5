// What is printed: a table for people as the figures come, JSON lines for machines, a section for the documentation.
import type { Answer, Figure, Question, Verdict } from './answer.js'
import type { Kept } from './bank.js'

export interface Circumstances {
  readonly at: string
  readonly commit: string
  readonly seed: number
  readonly [setting: string]: unknown
}

export interface Answered {
  readonly question: Question
  readonly answer: Answer
}

/** As many digits as mean something. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

const columns = ['system', 'metric', 'median', 'min', 'max', 'unit', 'runs'] as const

const cellsOf = (figure: Figure) => [
  figure.system,
  figure.metric,
  readable(figure.median),
  readable(figure.min),
  readable(figure.max),
  figure.unit,
  String(figure.runs),
]

const isNumber = (column: number) => (column >= 2 && column <= 4) || column === 6

/** For a terminal. */
export function tableOf({ question, answer }: Answered): string {
  const rows = [[...columns], ...answer.figures.map(cellsOf)]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
  const verdicts = answer.verdicts.map(
    (verdict) => `  ${wordOf(verdict)}  ${verdict.target}: ${reachedOf(verdict)}`,
  )
  return [
    '',
    `${question.name} · ${question.title}`,
    ...lines.map((line) => `  ${line}`),
    ...verdicts,
    '',
  ].join('\n')
}

const wordOf = ({ pass }: Verdict) => (pass === null ? 'too small to judge:' : pass ? 'reached' : 'MISSED ')
const reachedOf = ({ reached }: Verdict) => (reached === null ? 'not measured' : readable(reached))

/** One line per figure, then one per target. What all have in common stands in each: a line must make sense alone. */
export function jsonLines({ answer }: Answered, circumstances: Circumstances): string[] {
  const settings = { ...circumstances, ...answer.settings }
  const figures = answer.figures.map(({ question, system, metric, unit, median, min, max, runs }) =>
    JSON.stringify({ question, system, metric, unit, median, min, max, runs, settings }),
  )
  const verdicts = answer.verdicts.map(({ question, target, reached, pass }) =>
    JSON.stringify({ question, target, reached, pass, settings }),
  )
  return [...figures, ...verdicts]
}

/** For the documentation. What holds for all questions stands once, and where one was measured otherwise, with it. `missing`: questions that
 *  were never measured whole. */
export function markdownOf(kept: readonly Kept[], missing: readonly string[]): string {
  const newest = [...kept].sort((a, b) => b.circumstances.at.localeCompare(a.circumstances.at))[0]
  const common = Object.entries(newest?.circumstances ?? {}).filter(([name]) => !ownOf.includes(name))
  const targets = kept.flatMap(({ answer, circumstances: { commit, machine } }) =>
    answer.verdicts.map(
      (verdict) =>
        `| ${verdict.question} | ${verdict.target} | ${reachedOf(verdict)} | ${verdict.pass ? 'yes' : '**no**'} | ${commit} | ${processorOf(machine)} |`,
    ),
  )
  return [
    '### Where',
    '',
    ...table(
      ['setting', 'value'],
      common.map(([name, value]) => `| ${name} | ${shown(value)} |`),
    ),
    '### Targets',
    '',
    ...table(['question', 'target', 'reached', 'pass', 'commit', 'processor'], targets),
    ...(missing.length === 0 ? [] : [`Not measured whole so far: ${missing.join(', ')}.`, '']),
    ...kept.flatMap(({ title, answer, circumstances }) => [
      `### ${title}`,
      '',
      `Measured ${circumstances.at.slice(0, 16).replace('T', ' ')} UTC on commit \`${circumstances.commit}\`.${otherwise(circumstances, common)}`,
      '',
      ...(answer.settings === undefined ? [] : [`Settings: ${shown(answer.settings)}`, '']),
      ...table(
        columns,
        answer.figures.map((figure) => `| ${cellsOf(figure).join(' | ')} |`),
      ),
    ]),
  ].join('\n')
}

const processorOf = (machine: unknown) =>
  String((machine as { readonly processor?: string } | undefined)?.processor ?? '–')

const ownOf: readonly string[] = ['at', 'commit']

function otherwise(circumstances: Circumstances, common: readonly (readonly [string, unknown])[]): string {
  const others = common.flatMap(([name, value]) => {
    const other = differing(circumstances[name], value)
    return other === undefined ? [] : [` Here ${name}: ${shown(other)}.`]
  })
  return others.join('')
}

// A setting that did not exist then is none that differs.
function differing(value: unknown, common: unknown): unknown {
  if (JSON.stringify(value) === JSON.stringify(common)) return undefined
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(
    ([name, each]) =>
      JSON.stringify(each) !== JSON.stringify((common as Record<string, unknown> | null)?.[name]),
  )
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

const table = (head: readonly string[], rows: readonly string[]) => [
  `| ${head.join(' | ')} |`,
  `|${' --- |'.repeat(head.length)}`,
  ...rows,
  '',
]

function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, each]) => `${name} ${typeof each === 'object' ? JSON.stringify(each) : String(each)}`)
    .join(', ')
}
