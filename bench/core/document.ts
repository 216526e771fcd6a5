// Puts the last full run into docs/benchmarks.md, between two markers; the rest of the page is written by people.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url))
const begin = '<!-- bench: begin -->'
const end = '<!-- bench: end -->'

/** Throws when the page has lost its markers. */
export function writeSection(section: string): string {
  const text = readFileSync(path, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${path} needs the lines ${begin} and ${end} around the section`)
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n\n${section.trim()}\n\n${text.slice(to)}`)
  return path
}
