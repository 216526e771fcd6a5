// The table of the long run, as it stands in docs/reliability.md between its two marks.
import type { Standing } from './runs.js'

const begin = '<!-- long run: written by npm run verify:long -->'
const end = '<!-- end of long run -->'

const grouped = (count: number) => count.toLocaleString('en')

function rowOf({ programme, runs, done, share }: Standing): string {
  const violations = runs.reduce((sum, run) => sum + run.violations, 0)
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0)
  const seeds = runs.map(({ seed }) => seed)
  const commits = [...new Set(runs.map(({ commit }) => commit))]
  const cells = [
    programme.unit,
    `${grouped(done)} of ${grouped(programme.wanted)} (${Math.floor(share * 100)} %)`,
    String(violations),
    runs.length === 0 ? '–' : `${Math.min(...seeds)} to ${Math.max(...seeds) + programme.seedsOfPart - 1}`,
    `${Math.round(seconds / 60)} min`,
    commits.length === 0 ? '–' : commits.join(', '),
  ]
  return `| ${cells.join(' | ')} |`
}

export const tableOf = (standings: readonly Standing[]) =>
  [
    '| what | done | violations | seeds | time | commits |',
    '| --- | --- | --- | --- | --- | --- |',
    ...standings.map(rowOf),
  ].join('\n')

/** The page with the table in place of the one before. Throws when the page lost its marks. */
export function written(page: string, standings: readonly Standing[]): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/reliability.md lacks "${begin}" or "${end}" behind it`)
  return `${page.slice(0, from)}${begin}\n\n${tableOf(standings)}\n\n${page.slice(to)}`
}
